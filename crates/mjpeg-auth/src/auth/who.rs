//! Who sent a request.

use std::sync::Arc;

use tokio::time::Instant;

/// Who sent a request, from [`Auth::identify`](crate::Auth::identify).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    name: Option<Arc<str>>,
    means: Means,
    until: Option<Instant>,
}

/// What proved who somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Means {
    /// Nothing: a stranger.
    Nothing,
    /// A name and a password.
    Password,
    /// A token.
    Token,
    /// The cookie of a session. Browsers send it by themselves, so changes that a request asks for
    /// need a proof that a page of ours sent it, such as its `Origin`.
    Session,
    /// The header `Remote-User` of a trusted proxy. What is said of [`Session`](Self::Session)
    /// holds here too.
    RemoteUser,
    /// A client certificate. What is said of [`Session`](Self::Session) holds here too.
    Certificate,
}

impl Who {
    /// Somebody without credentials.
    pub const STRANGER: Self = Self {
        name: None,
        means: Means::Nothing,
        until: None,
    };

    pub(crate) fn new(name: impl Into<Arc<str>>, means: Means) -> Self {
        Self {
            name: Some(name.into()),
            means,
            until: None,
        }
    }

    pub(crate) fn until(mut self, until: Instant) -> Self {
        self.until = Some(until);
        self
    }

    /// The user's name; `None` for a stranger.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What proved it.
    pub fn means(&self) -> Means {
        self.means
    }

    /// When the proof ends; `None` for never.
    pub(crate) fn ends_at(&self) -> Option<Instant> {
        self.until
    }
}
