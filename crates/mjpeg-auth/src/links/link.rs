//! A link: what it admits to, and its query.

use std::{
    fmt,
    str::FromStr,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::error::LinkError;

/// What a link admits to.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkSpec {
    stream: Arc<str>,
    action: LinkAction,
    expires: SystemTime,
    max_fps: Option<f64>,
}

/// What one may do by a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LinkAction {
    /// Watch the stream.
    Stream,
    /// Take single pictures.
    Snapshot,
}

/// A link that was created.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    id: Arc<str>,
    spec: LinkSpec,
}

/// A new link with its signature, from [`Links::create`](crate::Links::create). The signature is
/// not kept: this is the only time to read it.
#[derive(Clone)]
pub struct SignedLink {
    id: Arc<str>,
    query: String,
}

impl LinkSpec {
    /// Admits to an action with a stream until this time, of which whole seconds count. It must be
    /// ahead, at most 366 days.
    pub fn new(stream: impl Into<Arc<str>>, action: LinkAction, expires: SystemTime) -> Self {
        Self {
            stream: stream.into(),
            action,
            expires,
            max_fps: None,
        }
    }

    /// Sets the most frames per second that the stream has by this link. Default: as many as for
    /// others. A finite number above 0.
    pub fn with_max_fps(mut self, most: f64) -> Self {
        self.max_fps = Some(most);
        self
    }
}

impl LinkAction {
    /// Returns the action's name: `stream` or `snapshot`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Snapshot => "snapshot",
        }
    }
}

impl FromStr for LinkAction {
    type Err = UnknownLinkAction;

    fn from_str(name: &str) -> Result<Self, UnknownLinkAction> {
        let mut all = [Self::Stream, Self::Snapshot].into_iter();
        all.find(|action| action.name() == name)
            .ok_or(UnknownLinkAction)
    }
}

/// A link cannot be for an action of this name; the caller is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a link is for stream or snapshot")]
#[non_exhaustive]
pub struct UnknownLinkAction;

impl Link {
    pub(crate) fn new(id: String, spec: LinkSpec, now: SystemTime) -> Result<Self, LinkError> {
        let left = spec.expires.duration_since(now).unwrap_or_default();
        if left < SECOND || left > LONGEST {
            return Err(LinkError::Expiry);
        }
        let seconds = spec.expires.duration_since(UNIX_EPOCH).unwrap_or_default();
        let expires = UNIX_EPOCH + Duration::from_secs(seconds.as_secs());
        Self::kept(id, LinkSpec { expires, ..spec })
    }

    /// A link that was created earlier.
    pub(crate) fn kept(id: String, spec: LinkSpec) -> Result<Self, LinkError> {
        if spec
            .max_fps
            .is_some_and(|fps| !(fps.is_finite() && fps > 0.0))
        {
            return Err(LinkError::MaxFps);
        }
        let id = id.into();
        Ok(Self { id, spec })
    }

    /// Its number, which is no secret.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The stream that it admits to.
    pub fn stream(&self) -> &str {
        &self.spec.stream
    }

    /// What one may do by it.
    pub fn action(&self) -> LinkAction {
        self.spec.action
    }

    /// When it expires.
    pub fn expires(&self) -> SystemTime {
        self.spec.expires
    }

    /// The most frames per second; `None` for as many as others have.
    pub fn max_fps(&self) -> Option<f64> {
        self.spec.max_fps
    }

    /// When it expires, in seconds since 1970.
    pub(crate) fn expires_unix(&self) -> u64 {
        let since = self.spec.expires.duration_since(UNIX_EPOCH);
        since.unwrap_or_default().as_secs()
    }
}

impl SignedLink {
    pub(crate) fn new(link: &Link, query: String) -> Self {
        let id = Arc::clone(&link.id);
        Self { id, query }
    }

    /// Its number, for [`Links::revoke`](crate::Links::revoke).
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What to add to the URL of the stream or of its snapshot, behind `?`.
    pub fn query(&self) -> &str {
        &self.query
    }
}

impl fmt::Debug for SignedLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedLink")
            .field("id", &self.id)
            .field("query", &"***")
            .finish()
    }
}

const SECOND: Duration = Duration::from_secs(1);

/// How far ahead a link may expire.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);
