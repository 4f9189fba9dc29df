//! The API, and its service for each gateway.

use std::{
    convert::Infallible,
    error::Error as StdError,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, SystemTime},
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
use mjpeg_manager::{HttpOutlet, Manager, mjpeg_http::TlsInfo};
use serde_json::{Map, Value};
use tokio::{
    sync::{Semaphore, watch},
    task::AbortHandle,
};
use tower_service::Service;
use utoipa::openapi::OpenApi;

use crate::{
    body::{check_type, read_within},
    caller::ApiCaller,
    code::ErrorCode,
    config::ControlConfig,
    configurator::Configurator,
    error::Error,
    events::{all::ApiEvents, log::EventLog},
    links::LinkIssuer,
    origin::{PageOrigin, refused},
    policy::{ControlAccess, GatewayPolicy},
    respond::{Refused, guard},
    routes::{BASE, WALL, document, router},
    state::ApiState,
    wall::{stats::WallStats, walls::Walls},
};

/// The API of one manager's streams. Cheap to clone; all clones are one.
///
/// Each gateway gets a service of its own: [`service`](Self::service).
#[derive(Clone)]
pub struct ControlApi {
    inner: Arc<ControlInner>,
}

struct ControlInner {
    state: Arc<ApiState>,
    /// With all that is served, and with what needs no right to control.
    full: Router,
    public: Router,
    /// Takes the manager's events.
    taking: AbortHandle,
}

impl ControlApi {
    /// Makes the API of the streams of a manager, which are served by this outlet and configured
    /// by this configurator. `links` are served if there are any.
    ///
    /// Events are kept from now on.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn new(
        manager: Manager,
        http: HttpOutlet,
        configurator: Arc<dyn Configurator>,
        links: Option<Arc<dyn LinkIssuer>>,
        config: ControlConfig,
    ) -> Self {
        let log = EventLog::new(config.kept_events());
        let taking = tokio::spawn(Arc::clone(&log).run(manager.events()));
        let places = |most: usize| Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        let state = Arc::new(ApiState {
            manager,
            http,
            configurator,
            log,
            rechecks: watch::Sender::new(Some(0)),
            subscribers: places(config.max_subscribers()),
            writes: places(config.max_writes()),
            walls: Walls::new(config.max_walls()),
            since: SystemTime::now(),
            document: json(&document(links.is_some())).into(),
            links,
            config,
        });
        let inner = ControlInner {
            full: router(&state, true),
            public: router(&state, false),
            taking: taking.abort_handle(),
            state,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Makes the service of a gateway, for
    /// [`Listener::with_fallback`](mjpeg_manager::mjpeg_http::Listener::with_fallback), or for a
    /// service of your own that passes on what is below `/api/v1`.
    pub fn service(&self, policy: GatewayPolicy) -> ControlService {
        ControlService {
            inner: Arc::clone(&self.inner),
            policy: Arc::new(watch::Sender::new(Arc::new(policy))),
        }
    }

    /// Returns the events of all streams, from the oldest one that is kept on.
    pub fn events(&self) -> ApiEvents {
        ApiEvents::new(Arc::clone(&self.inner.state.log))
    }

    /// Asks the gate again about all who receive events or have a wall socket, when rights have
    /// changed. Those who lost the right are disconnected. The viewers of a wall's tiles are those
    /// of their streams, and [rechecked](mjpeg_manager::mjpeg_http::StreamService::recheck) there.
    pub fn recheck(&self) {
        let rechecks = &self.inner.state.rechecks;
        rechecks.send_modify(|count| *count = count.map(|count| count.wrapping_add(1)));
    }

    /// Ends the responses of all who receive events, and all wall sockets, for good, so that
    /// listeners need not wait for them.
    pub fn close(&self) {
        self.inner.state.rechecks.send_replace(None);
    }

    /// [Closes](Self::close) the API and waits until the wall sockets have ended, at most this
    /// long; then cuts them. They outlive the listeners that they came through.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cuts the sockets that have not ended yet.
    pub async fn drain(&self, grace: Duration) {
        self.close();
        self.inner.state.walls.drain(grace).await;
    }

    /// Returns the limits and times.
    pub fn config(&self) -> &ControlConfig {
        &self.inner.state.config
    }

    /// Reads the counters of the wall sockets.
    pub fn wall_stats(&self) -> WallStats {
        self.inner.state.walls.counters().read()
    }

    /// Returns the description of the API with all that it can serve (OpenAPI 3.1), as JSON.
    pub fn openapi() -> String {
        json(&document(true))
    }
}

impl Drop for ControlInner {
    fn drop(&mut self) {
        self.taking.abort();
        self.state.walls.abort();
    }
}

impl fmt::Debug for ControlApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlApi")
            .field("config", &self.inner.state.config)
            .finish_non_exhaustive()
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

fn json(document: &OpenApi) -> String {
    // It holds only text, and no keys that are none.
    document.to_pretty_json().unwrap_or_default()
}

/// The target without the base path and the host.
fn below(path: &str, query: Option<&str>) -> Option<Uri> {
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{path}{query}").parse().ok()
}

/// The request names another host (RFC 9110, 15.5.20).
fn misdirected() -> Error {
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

type BodyError = Box<dyn StdError + Send + Sync>;

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
        let routed = self.routed(request.map(AxumBody::new));
        Box::pin(async move {
            let mut response: AxumResponse = match routed {
                Ok((mut router, request)) => {
                    let Ok(response) = router.call(request).await;
                    response
                }
                Err(error) => Refused(error).into_response(),
            };
            guard(&mut response);
            Ok(response.map(ControlBody))
        })
    }
}

/// The body of an answer.
#[derive(Debug)]
pub struct ControlBody(AxumBody);

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
