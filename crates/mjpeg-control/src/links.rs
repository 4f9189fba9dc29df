//! The seam to whoever signs links.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use mjpeg_manager::StreamName;

use crate::error::Error;

/// Makes links that let whoever has one watch a stream for a while, and revokes them.
#[async_trait]
pub trait LinkIssuer: Send + Sync + 'static {
    /// Makes a link.
    ///
    /// # Errors
    ///
    /// [`InvalidSpec`](crate::ErrorCode::InvalidSpec) if a value is out of bounds.
    async fn create(&self, wanted: LinkRequest) -> Result<IssuedLink, Error>;

    /// Lists the links that are still good, in the order in which they were made.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    async fn list(&self) -> Result<Vec<IssuedLink>, Error>;

    /// Revokes a link. Whoever watches by it is disconnected.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorCode::NotFound) if there is no such link.
    async fn revoke(&self, id: &str) -> Result<(), Error>;
}

/// A link that is wanted.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LinkRequest {
    /// The stream. It is running.
    pub stream: StreamName,
    /// What the link is good for.
    pub action: LinkUse,
    /// How long it is good; more than zero.
    pub valid: Duration,
    /// Frames per second at most; more than zero. `None` for no limit.
    pub fps: Option<f64>,
    /// Who wants it; `None` if there are no users.
    pub by: Option<String>,
}

impl LinkRequest {
    /// Describes a link without a limit, which nobody in particular wants.
    pub fn new(stream: StreamName, action: LinkUse, valid: Duration) -> Self {
        Self {
            stream,
            action,
            valid,
            fps: None,
            by: None,
        }
    }
}

/// What a link is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkUse {
    /// To watch the stream.
    Stream,
    /// To take single pictures.
    Snapshot,
    /// To watch what was recorded.
    Replay,
}

impl LinkUse {
    pub(crate) const ALL: [Self; 3] = [Self::Stream, Self::Snapshot, Self::Replay];

    /// Returns its word: `stream`, `snapshot` or `replay`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Snapshot => "snapshot",
            Self::Replay => "replay",
        }
    }
}

/// A link that was made.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct IssuedLink {
    /// What it is revoked by: letters, digits, `_` and `-`.
    pub id: String,
    /// The stream.
    pub stream: StreamName,
    /// What it is good for.
    pub action: LinkUse,
    /// Until when it is good.
    pub expires: SystemTime,
    /// Frames per second at most.
    pub fps: Option<f64>,
    /// The path and query to open, relative to the gateway, with the signature. Only of one that
    /// was just made: it is not kept.
    pub url: Option<String>,
}

impl IssuedLink {
    /// Describes a link without a limit and without its URL.
    pub fn new(
        id: impl Into<String>,
        stream: StreamName,
        action: LinkUse,
        expires: SystemTime,
    ) -> Self {
        Self {
            id: id.into(),
            stream,
            action,
            expires,
            fps: None,
            url: None,
        }
    }
}
