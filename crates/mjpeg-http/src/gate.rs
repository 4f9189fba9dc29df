//! Access control: gates decide which requests are answered.

use std::{fmt, sync::Arc, time::Instant};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Method, Response, Uri, request::Parts};

use crate::{peer::Peer, transport::TlsInfo};

/// Decides which requests are answered.
///
/// A [`StreamService`](crate::StreamService) asks its gate before it admits a viewer, whatever
/// listener the request came through. The gate sits inside the service because a stream's
/// connection leaves hyper, and with it every `tower` layer around the service.
///
/// ```
/// use mjpeg_http::{Access, Gate, Grant, Inquiry};
///
/// struct Password;
///
/// #[async_trait::async_trait]
/// impl Gate for Password {
///     async fn decide(&self, inquiry: &Inquiry) -> Access {
///         match inquiry.headers.get("authorization") {
///             Some(value) if value == "Basic YWxpY2U6c2VjcmV0" => {
///                 Access::Allow(Grant::default().with_identity("alice"))
///             }
///             _ => {
///                 let refusal = http::Response::builder()
///                     .status(401)
///                     .header("www-authenticate", "Basic realm=\"cameras\"");
///                 Access::deny(refusal.body("Log in first.\n".into()).expect("a valid response"))
///             }
///         }
///     }
/// }
/// ```
#[async_trait]
pub trait Gate: Send + Sync + 'static {
    /// Decides about one request, or once more about a viewer that it admitted earlier
    /// ([`StreamService::recheck`](crate::StreamService::recheck)).
    ///
    /// # Cancel safety
    ///
    /// Must be cancel safe: the call is dropped when the client disconnects, and after the
    /// [time limit](crate::StreamConfig::with_gate_timeout).
    async fn decide(&self, inquiry: &Inquiry) -> Access;
}

/// What a gate decides about.
///
/// A viewer's inquiry is kept for as long as it watches, with its headers, for a recheck.
#[derive(Clone)]
#[non_exhaustive]
pub struct Inquiry {
    /// The name of the requested stream; `None` if the request is for none, or the stream has no
    /// name.
    pub stream: Option<Arc<str>>,
    /// What the request would do.
    pub action: Action,
    /// The request's method.
    pub method: Method,
    /// The request's path and query, as received.
    pub uri: Uri,
    /// The request's headers. `Remote-User` is there only if a trusted proxy has sent it.
    pub headers: HeaderMap,
    /// The client's address, if known. Behind a
    /// [trusted proxy](crate::ListenerConfig::with_trusted_proxies), that of the proxy's client.
    pub peer: Option<Peer>,
    /// The [name](crate::ListenerConfig::with_name) of the listener that the request came through;
    /// empty if there is none.
    pub listener: Arc<str>,
    /// TLS details of the connection; `None` for a plain one.
    pub tls: Option<TlsInfo>,
    /// The [`Grant::proof`] with which the client was admitted, when a viewer is rechecked or a
    /// client asks for more; else `None`.
    pub proof: Option<Bytes>,
}

impl Inquiry {
    /// Makes an inquiry about an action, with all other fields empty. Set those that are known.
    pub fn new(action: Action) -> Self {
        Self {
            stream: None,
            action,
            method: Method::GET,
            uri: Uri::default(),
            headers: HeaderMap::new(),
            peer: None,
            listener: "".into(),
            tls: None,
            proof: None,
        }
    }

    /// Makes an inquiry about a request to another service, such as the
    /// [fallback](crate::Listener::with_fallback) of a listener. [`Peer`] and [`TlsInfo`] are those
    /// in the request's extensions.
    pub fn of_request(action: Action, request: &Parts) -> Self {
        Self {
            method: request.method.clone(),
            uri: request.uri.clone(),
            headers: request.headers.clone(),
            peer: request.extensions.get().copied(),
            tls: request.extensions.get().cloned(),
            ..Self::new(action)
        }
    }
}

/// Headers and queries may hold secrets, so they are left out.
impl fmt::Debug for Inquiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inquiry")
            .field("stream", &self.stream)
            .field("action", &self.action)
            .field("method", &self.method)
            .field("path", &self.uri.path())
            .field("peer", &self.peer)
            .field("listener", &self.listener)
            .finish_non_exhaustive()
    }
}

/// What a request would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Watch a stream.
    Stream,
    /// Take a single picture.
    Snapshot,
    /// Read the state of a stream, and how many viewers it has. Who they are is told only if
    /// [`Control`](Self::Control) is allowed, too.
    State,
    /// Find out that there is such a stream: by a redirect to it, an error about its URLs, or a
    /// CORS preflight.
    Find,
    /// Watch a recording.
    Replay,
    /// Send pictures to a stream.
    Push,
    /// Open the web page.
    Page,
    /// Change which streams run, and how.
    Control,
    /// Read the metrics.
    Metrics,
}

/// What a gate decides.
#[derive(Debug)]
#[non_exhaustive]
pub enum Access {
    /// The request is answered.
    Allow(Grant),
    /// The request is refused with this response. It is sent as it is, without headers for pages
    /// of other origins, so that it can be the same for a stream that does not exist.
    Deny(Box<Response<Bytes>>),
    /// The gate cannot tell, because what it depends on has failed. A request is answered `503`. In
    /// a [recheck](crate::StreamService::recheck), the viewer stays.
    Undecided,
}

impl Access {
    /// Refuses with this response.
    pub fn deny(response: Response<Bytes>) -> Self {
        Self::Deny(Box::new(response))
    }
}

/// Who was admitted, and until when.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Grant {
    /// The client's identity, for [`ViewerInfo`](crate::ViewerInfo); `None` for a stranger.
    pub identity: Option<Arc<str>>,
    /// When the response has to end; `None` for never.
    pub until: Option<Instant>,
    /// How many frames per second a stream may have at most; `None` for the stream's own limit. A
    /// recheck does not change it.
    pub max_fps: Option<f64>,
    /// What the gate wants to see again when it is [rechecked](crate::StreamService::recheck) about
    /// this viewer: for example which version of a password was verified, so that the work need not
    /// be done again. `None` for nothing. What a recheck itself returns is not kept.
    pub proof: Option<Bytes>,
}

impl Grant {
    /// Sets the client's identity.
    pub fn with_identity(mut self, identity: impl Into<Arc<str>>) -> Self {
        self.identity = Some(identity.into());
        self
    }

    /// Sets when the response has to end.
    pub fn with_until(mut self, until: Instant) -> Self {
        self.until = Some(until);
        self
    }

    /// Sets how many frames per second a stream may have at most. Only a number above 0 counts.
    pub fn with_max_fps(mut self, most: f64) -> Self {
        self.max_fps = Some(most);
        self
    }

    /// Sets what the gate wants to see again in a recheck.
    pub fn with_proof(mut self, proof: impl Into<Bytes>) -> Self {
        self.proof = Some(proof.into());
        self
    }
}

/// A shared gate, with a `Debug` that reveals nothing about it.
#[derive(Clone)]
pub(crate) struct SharedGate(pub(crate) Arc<dyn Gate>);

impl fmt::Debug for SharedGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}
