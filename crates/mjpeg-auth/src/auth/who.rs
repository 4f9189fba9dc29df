//! Who sent a request.

use std::{fmt, sync::Arc};

use tokio::time::Instant;

#[cfg(feature = "jwt")]
use crate::config::{
    rights::{Right, Rights},
    streams::StreamSet,
};

/// Who sent a request, from [`Auth::identify`](crate::Auth::identify).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    name: Option<Arc<str>>,
    means: Means,
    until: Option<Instant>,
    unknown: Option<Arc<UnknownLogin>>,
    #[cfg(feature = "jwt")]
    claimed: Option<Arc<Claimed>>,
}

/// Credentials that the settings do not know, and the hook may. `Debug` shows no token.
#[derive(PartialEq, Eq)]
pub(crate) struct UnknownLogin {
    /// The name that was given with a password.
    pub(crate) user: Option<Arc<str>>,
    /// The password, or a token.
    pub(crate) token: Arc<str>,
}

/// What somebody may do by what proved who they are.
#[cfg(feature = "jwt")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claimed {
    pub(crate) rights: Rights,
    pub(crate) streams: StreamSet,
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
    /// A JSON Web Token of an identity provider, which says itself what its bearer may do.
    #[cfg(feature = "jwt")]
    Jwt,
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
        unknown: None,
        #[cfg(feature = "jwt")]
        claimed: None,
    };

    pub(crate) fn new(name: impl Into<Arc<str>>, means: Means) -> Self {
        Self {
            name: Some(name.into()),
            means,
            until: None,
            unknown: None,
            #[cfg(feature = "jwt")]
            claimed: None,
        }
    }

    /// Somebody with credentials that the settings do not know. To the settings they are a
    /// stranger.
    pub(crate) fn of_unknown(user: Option<&str>, token: &str) -> Self {
        let login = UnknownLogin {
            user: user.map(Into::into),
            token: token.into(),
        };
        Self {
            unknown: Some(Arc::new(login)),
            ..Self::STRANGER
        }
    }

    /// The credentials that the settings do not know, if they have such.
    pub(crate) fn unknown(&self) -> Option<&UnknownLogin> {
        self.unknown.as_deref()
    }

    #[cfg(feature = "jwt")]
    pub(crate) fn with_claimed(mut self, claimed: Arc<Claimed>) -> Self {
        self.claimed = Some(claimed);
        self
    }

    /// What the proof itself says that they may do; `None` if that is not its business.
    #[cfg(feature = "jwt")]
    pub(crate) fn claimed(&self) -> Option<&Claimed> {
        self.claimed.as_deref()
    }

    pub(crate) fn until(mut self, until: Instant) -> Self {
        self.until = Some(until);
        self
    }

    /// The user's name; `None` for a stranger. That of a JSON Web Token's bearer is `jwt:` and the
    /// token's subject, which is no name that a [`User`](crate::User) can have.
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

impl fmt::Debug for UnknownLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnknownLogin")
            .field("user", &self.user)
            .field("token", &"***")
            .finish()
    }
}

#[cfg(feature = "jwt")]
impl Claimed {
    pub(crate) fn may(&self, right: Right, stream: Option<&str>) -> bool {
        self.rights.has(right) && self.streams.contains(stream)
    }
}
