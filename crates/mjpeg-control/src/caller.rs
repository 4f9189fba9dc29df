//! Who sends a request, and what the gate lets them do.

use std::sync::{Arc, Mutex, PoisonError};

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

/// When a gate is asked again that was too busy to say whether somebody may stay.
pub(crate) const RECHECK_AGAIN: Duration = Duration::from_secs(10);

/// A request's sender.
pub(crate) struct ApiCaller {
    policy: Arc<GatewayPolicy>,
    timeout: Duration,
    /// Without action and stream.
    inquiry: Inquiry,
    /// What the gate wants to see again: the proof of its latest grant that has one.
    proof: Mutex<Option<Bytes>>,
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
            proof: Mutex::default(),
            admitted,
        }
    }

    /// Asks the gate.
    async fn ask(&self, action: Action, stream: Option<&str>) -> Result<Grant, Denied> {
        let mut inquiry = self.inquiry();
        (inquiry.action, inquiry.stream) = (action, stream.map(Arc::from));
        let deciding = self.policy.gate().decide(&inquiry);
        match timeout(self.timeout, deciding).await {
            Ok(Access::Allow(grant)) => {
                if grant.proof.is_some() {
                    let mut proof = self.proof.lock().unwrap_or_else(PoisonError::into_inner);
                    proof.clone_from(&grant.proof);
                }
                Ok(grant)
            }
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

    /// Whether they may send pictures to a stream.
    #[cfg(feature = "push")]
    pub(crate) async fn may_push(&self, stream: &str) -> Result<Grant, Denied> {
        self.ask(Action::Push, Some(stream)).await
    }

    /// Whether they may see a stream, be it in the API or not.
    #[cfg(feature = "push")]
    pub(crate) async fn sees(&self, stream: &str) -> Result<Grant, Denied> {
        self.ask(Action::State, Some(stream)).await
    }

    /// Whether they may read the state of a stream.
    pub(crate) async fn may_see(&self, stream: &str) -> Result<Grant, Denied> {
        match self.policy.has_page() {
            true => self.ask(Action::State, Some(stream)).await,
            false => self.may_control(Some(stream)).await,
        }
    }

    /// Whether they may see the past of a stream.
    pub(crate) async fn may_replay(&self, stream: &str) -> Result<Grant, Denied> {
        self.ask(Action::Replay, Some(stream)).await
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

    /// What a gate is asked about them, without action and stream, and with the proof of what it
    /// has found out before.
    pub(crate) fn inquiry(&self) -> Inquiry {
        let mut inquiry = self.inquiry.clone();
        let proof = self.proof.lock().unwrap_or_else(PoisonError::into_inner);
        inquiry.proof.clone_from(&proof);
        inquiry
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

impl Denied {
    /// Whether this says nothing of rights: the gate was too busy, or had no answer in time. Who is
    /// here already stays then.
    pub(crate) fn is_unclear(&self) -> bool {
        match self {
            Self::ByGate(response) => {
                let status = response.status();
                status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
            }
            Self::ByPolicy(error) => error.code() == ErrorCode::GateTimeout,
        }
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
