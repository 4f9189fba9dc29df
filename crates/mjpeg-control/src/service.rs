//! The service of a gateway.

use std::{
    convert::Infallible,
    error::Error as StdError,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    Router,
    body::Body as AxumBody,
    response::{IntoResponse, Response as AxumResponse},
};
use bytes::Bytes;
use http::{
    HeaderMap, Request, Response, Uri,
    header::{COOKIE, UPGRADE},
    request::Parts,
};
use http_body::{Body, Frame, SizeHint};
use mjpeg_manager::mjpeg_http::{Peer, TlsInfo};
use serde_json::{Map, Value};
use tokio::{sync::watch, task::AbortHandle};
use tower_service::Service;

use crate::{
    audit::{Audit, IsAudited, refusals::Refusals},
    body::{check_type, read_within},
    caller::ApiCaller,
    code::ErrorCode,
    error::Error,
    origin::{PageOrigin, refused},
    policy::{ControlAccess, GatewayPolicy},
    respond::{Refused, guard},
    routes::{BASE, WALL, change_of},
    state::ApiState,
};

/// What the services of all gateways share.
pub(crate) struct ControlInner {
    pub(crate) state: Arc<ApiState>,
    /// With all that is served, and with what needs no right to control.
    pub(crate) full: Router,
    pub(crate) public: Router,
    pub(crate) refusals: Arc<Refusals>,
    /// They take the manager's events, and tell of refusals.
    pub(crate) tasks: [AbortHandle; 2],
}

impl Drop for ControlInner {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
        self.state.walls.abort();
    }
}

/// Answers the requests below `/api/v1` of one gateway: a tower service.
///
/// Requests carry a [`Peer`](mjpeg_manager::mjpeg_http::Peer) extension, as a
/// [`Listener`](mjpeg_manager::mjpeg_http::Listener) adds it, and one with the connection's
/// [`TlsInfo`](mjpeg_manager::mjpeg_http::TlsInfo), if it has any.
#[derive(Clone)]
pub struct ControlService {
    inner: Arc<ControlInner>,
    policy: Arc<watch::Sender<Arc<GatewayPolicy>>>,
}

impl ControlService {
    pub(crate) fn new(inner: Arc<ControlInner>, policy: GatewayPolicy) -> Self {
        Self {
            inner,
            policy: Arc::new(watch::Sender::new(Arc::new(policy))),
        }
    }

    /// Replaces the policy, for all clones, from the next request on.
    pub fn configure(&self, policy: GatewayPolicy) {
        self.policy.send_replace(Arc::new(policy));
    }

    /// Returns the policy that applies now.
    pub fn policy(&self) -> Arc<GatewayPolicy> {
        Arc::clone(&self.policy.borrow())
    }

    /// Reads a request that changes something and is answered by another service of the gateway,
    /// such as a login, as if it were one of this API's: it is for a host that is ours, comes from
    /// no page of another origin, and its body is a JSON object of at most this many bytes. The
    /// gate is not asked. Path and method do not count.
    ///
    /// # Errors
    ///
    /// [`Error`], for [`Error::respond`]; the client is at fault.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: what was read of the body is lost.
    pub async fn read_change<B>(
        &self,
        request: Request<B>,
        max_body_bytes: usize,
    ) -> Result<(Parts, Map<String, Value>), Error>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        let (parts, body) = request.into_parts();
        let (body, headers) = (AxumBody::new(body), &parts.headers);
        if !self.policy().hosts().include(&parts.uri, headers) {
            return Err(misdirected());
        }
        let is_tls = parts.extensions.get::<TlsInfo>().is_some();
        let sender = PageOrigin::of(&parts.uri, headers, is_tls);
        if !sender.may_write(headers.contains_key(COOKIE)) {
            return Err(refused());
        }
        check_type(&parts.method, headers, &body)?;
        let time = self.inner.state.config.body_timeout();
        let fields = read_within(body, max_body_bytes, time).await?;
        Ok((parts, fields))
    }

    #[cfg(feature = "push")]
    pub(crate) fn state(&self) -> &ApiState {
        &self.inner.state
    }

    /// What a request would change, for the log; `None` if nothing.
    fn change<B>(&self, request: &Request<B>) -> Option<Audit> {
        let policy = self.policy();
        let path = policy.listener().below_base(request.uri().path());
        let (verb, target) = change_of(request.method(), path.strip_prefix(BASE)?)?;
        let peer = request.extensions().get::<Peer>().copied();
        Some(Audit::new(verb, peer, target))
    }

    /// Passes a request on, or says why not.
    fn routed(&self, request: Request<AxumBody>) -> Result<(Router, Request<AxumBody>), Error> {
        let policy = self.policy();
        let (mut parts, body) = request.into_parts();
        let access = policy.access();
        let timeout = self.inner.state.config.gate_timeout();
        let path = policy.listener().below_base(parts.uri.path());
        let is_ours = path
            .strip_prefix(BASE)
            .is_some_and(|rest| rest.starts_with('/'));
        if !is_ours || (access == ControlAccess::Closed && !policy.has_page()) {
            return Err(Error::not_found());
        }
        if !policy.hosts().include(&parts.uri, &parts.headers) {
            return Err(misdirected());
        }
        let is_wall = path.strip_prefix(BASE) == Some(WALL);
        if wants_websocket(&parts.headers) && !is_wall {
            let detail = "this speaks no WebSocket";
            return Err(Error::new(ErrorCode::BadRequest, detail));
        }
        let below = below(path, parts.uri.query()).ok_or_else(Error::not_found)?;
        let caller = ApiCaller::new(&parts, policy, timeout);
        parts.uri = below;
        parts.extensions.insert(Arc::new(caller));
        let router = match access {
            ControlAccess::Closed => &self.inner.public,
            _ => &self.inner.full,
        };
        Ok((router.clone(), Request::from_parts(parts, body)))
    }
}

/// The target without the base path and the host.
fn below(path: &str, query: Option<&str>) -> Option<Uri> {
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{path}{query}").parse().ok()
}

/// The request names another host (RFC 9110, 15.5.20).
pub(crate) fn misdirected() -> Error {
    Error::new(
        ErrorCode::MisdirectedRequest,
        "this host name is not known here",
    )
    .with_hint("use an IP address or the machine's name, or add the name to hosts")
}

fn wants_websocket(headers: &HeaderMap) -> bool {
    let wanted = headers.get_all(UPGRADE).iter();
    let mut wanted = wanted.flat_map(|value| value.as_bytes().split(|b| *b == b','));
    wanted.any(|word| word.trim_ascii().eq_ignore_ascii_case(b"websocket"))
}

impl fmt::Debug for ControlService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlService")
            .field("policy", &self.policy())
            .finish_non_exhaustive()
    }
}

impl Error {
    /// Makes the answer of this API to a request that fails so.
    pub fn respond(self) -> Response<ControlBody> {
        let mut response = Refused(self).into_response();
        guard(&mut response);
        response.map(ControlBody)
    }
}

pub(crate) type BodyError = Box<dyn StdError + Send + Sync>;

type AnswerFuture = Pin<Box<dyn Future<Output = Result<Response<ControlBody>, Infallible>> + Send>>;

impl<B> Service<Request<B>> for ControlService
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BodyError>,
{
    type Response = Response<ControlBody>;
    type Error = Infallible;
    type Future = AnswerFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let change = self.change(&request);
        let refusals = Arc::clone(&self.inner.refusals);
        let routed = self.routed(request.map(AxumBody::new));
        Box::pin(async move {
            let mut response: AxumResponse = match routed {
                Ok((mut router, request)) => {
                    let Ok(response) = router.call(request).await;
                    response
                }
                Err(error) => Refused(error).into_response(),
            };
            if let Some(change) = change
                && response.extensions().get::<IsAudited>().is_none()
                && refusals.admit(change.peer())
            {
                change.log(&mut response);
            }
            guard(&mut response);
            Ok(response.map(ControlBody))
        })
    }
}

/// The body of an answer.
#[derive(Debug)]
pub struct ControlBody(AxumBody);

impl ControlBody {
    #[cfg(feature = "push")]
    pub(crate) fn new(body: AxumBody) -> Self {
        Self(body)
    }
}

impl Body for ControlBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = Pin::new(&mut self.0).poll_frame(cx);
        frame.map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}
