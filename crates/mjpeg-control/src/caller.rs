//! Who sends a request, and what the gate lets them do.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{StatusCode, header, request::Parts};
use mjpeg_manager::mjpeg_http::{Access, Action, Grant, Inquiry, Peer, TlsInfo};
use tokio::time::{Duration, timeout};

use crate::{
    code::ErrorCode,
    error::Error,
    origin::PageOrigin,
    policy::GatewayPolicy,
    respond::{Refused, refusal},
};

/// A request's sender.
pub(crate) struct ApiCaller {
    policy: Arc<GatewayPolicy>,
    timeout: Duration,
    /// Without action and stream.
    inquiry: Inquiry,
    /// Why not, if the part that controls is out of reach.
    admitted: Result<(), Error>,
}

/// Why a request is refused.
pub(crate) enum Denied {
    ByGate(Box<http::Response<Bytes>>),
    ByPolicy(Error),
}

/// What somebody may read of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    Nothing,
    /// Name, state and rates.
    State,
    /// Sources, viewers and errors, too.
    All,
}

impl ApiCaller {
    pub(crate) fn new(parts: &Parts, policy: Arc<GatewayPolicy>, timeout: Duration) -> Self {
        let peer = parts.extensions.get::<Peer>().copied();
        let mut inquiry = Inquiry::new(Action::Page);
        inquiry.method = parts.method.clone();
        inquiry.uri = parts.uri.clone();
        inquiry.headers = parts.headers.clone();
        inquiry.peer = peer;
        inquiry.listener = policy.listener().name().into();
        inquiry.tls = parts.extensions.get::<TlsInfo>().cloned();
        let admitted = policy.admits(peer, &parts.uri, &parts.headers);
        Self {
            policy,
            timeout,
            inquiry,
            admitted,
        }
    }

    /// Asks the gate.
    async fn ask(&self, action: Action, stream: Option<&str>) -> Result<Grant, Denied> {
        let mut inquiry = self.inquiry.clone();
        (inquiry.action, inquiry.stream) = (action, stream.map(Arc::from));
        let deciding = self.policy.gate().decide(&inquiry);
        match timeout(self.timeout, deciding).await {
            Ok(Access::Allow(grant)) => Ok(grant),
            Ok(Access::Deny(response)) => Err(Denied::ByGate(response)),
            Ok(Access::Undecided) | Err(_) => Err(Denied::ByPolicy(Error::new(
                ErrorCode::GateTimeout,
                "access could not be checked in time",
            ))),
            Ok(_) => Err(Denied::ByPolicy(Error::not_found())),
        }
    }

    /// Whether they may read anything here.
    pub(crate) async fn may_look(&self) -> Result<Grant, Denied> {
        self.ask(Action::Page, None).await
    }

    /// Whether they may control a stream, or all of them and everything else.
    pub(crate) async fn may_control(&self, stream: Option<&str>) -> Result<Grant, Denied> {
        self.admitted.clone().map_err(Denied::ByPolicy)?;
        self.ask(Action::Control, stream).await
    }

    /// Whether they may read the state of a stream.
    pub(crate) async fn may_see(&self, stream: &str) -> Result<Grant, Denied> {
        match self.policy.has_page() {
            true => self.ask(Action::State, Some(stream)).await,
            false => self.may_control(Some(stream)).await,
        }
    }

    /// What they may read of a stream.
    pub(crate) async fn sight(&self, stream: &str) -> Sight {
        if self.may_control(Some(stream)).await.is_ok() {
            return Sight::All;
        }
        match self.policy.has_page() && self.ask(Action::State, Some(stream)).await.is_ok() {
            true => Sight::State,
            false => Sight::Nothing,
        }
    }

    /// Which page of a browser sends the request.
    pub(crate) fn sender(&self) -> PageOrigin {
        let is_tls = self.inquiry.tls.is_some();
        PageOrigin::of(&self.inquiry.uri, &self.inquiry.headers, is_tls)
    }

    pub(crate) fn has_cookie(&self) -> bool {
        self.inquiry.headers.contains_key(header::COOKIE)
    }

    /// What a gate is asked about them, without action and stream.
    pub(crate) fn inquiry(&self) -> &Inquiry {
        &self.inquiry
    }

    /// Whether streams may be watched where they ask.
    pub(crate) fn shows_streams(&self) -> bool {
        self.policy.has_streams()
    }

    /// How long they may take no byte, and answer nothing.
    pub(crate) fn write_stall(&self) -> Duration {
        self.policy.listener().write_stall()
    }

    pub(crate) fn peer(&self) -> Option<Peer> {
        self.inquiry.peer
    }
}

impl Denied {
    /// Whether this says who may do what. Whoever may not see a stream must not learn from it that
    /// there is one.
    pub(crate) fn is_about_rights(&self) -> bool {
        let Self::ByGate(response) = self else {
            return false;
        };
        matches!(
            response.status(),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND
        )
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        match self {
            Self::ByGate(response) => refusal(*response),
            Self::ByPolicy(error) => Refused(error).into_response(),
        }
    }
}
