//! Who may do what: the one place where access is decided.

use std::{fmt, sync::Arc, time::Instant};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Method, Response, Uri};

use crate::{peer::Peer, transport::TlsInfo};

/// Decides who may do what.
///
/// A [`StreamService`](crate::StreamService) asks its gate before it admits a viewer, whatever
/// listener the request came through. The gate sits inside the service, because a stream's
/// connection leaves hyper, and so every `tower` layer around the service, behind.
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
    /// The call is dropped when the client goes away meanwhile.
    async fn decide(&self, inquiry: &Inquiry) -> Access;
}

/// What a gate decides about.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Inquiry {
    /// The stream that the request means, by its name; `None` if it means none or has no name.
    pub stream: Option<Arc<str>>,
    /// What the request would do.
    pub action: Action,
    /// The request's method.
    pub method: Method,
    /// The request's path and query as they came.
    pub uri: Uri,
    /// The request's headers.
    pub headers: HeaderMap,
    /// Where it comes from, if that is known.
    pub peer: Option<Peer>,
    /// The listener it came through, by its name; empty if it has none.
    pub listener: Arc<str>,
    /// What is known of the connection's TLS; `None` for a plain one.
    pub tls: Option<TlsInfo>,
}

impl Inquiry {
    /// Makes an inquiry about an action, with nothing else known yet. Set the fields that are.
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
        }
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
    /// Read how a stream and its viewers are doing.
    State,
    /// See what was recorded.
    Replay,
    /// Send pictures to a stream.
    Push,
    /// Open the page.
    Page,
    /// Change what runs.
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
    /// The request is refused with this response.
    Deny(Box<Response<Bytes>>),
}

impl Access {
    /// Refuses with this response.
    pub fn deny(response: Response<Bytes>) -> Self {
        Self::Deny(Box::new(response))
    }
}

/// Who was let in, and until when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Grant {
    /// Who it is, for [`ViewerInfo`](crate::ViewerInfo); `None` for a stranger.
    pub identity: Option<Arc<str>>,
    /// When the response has to end; `None` for never.
    pub until: Option<Instant>,
}

impl Grant {
    /// Says who it is.
    pub fn with_identity(mut self, identity: impl Into<Arc<str>>) -> Self {
        self.identity = Some(identity.into());
        self
    }

    /// Says when the response has to end.
    pub fn with_until(mut self, until: Instant) -> Self {
        self.until = Some(until);
        self
    }
}

/// A gate that may be shared, with a `Debug` that says nothing of it.
#[derive(Clone)]
pub(crate) struct SharedGate(pub(crate) Arc<dyn Gate>);

impl fmt::Debug for SharedGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}
