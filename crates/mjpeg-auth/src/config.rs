//! Who may do what, and the limits of logins.

use std::{collections::BTreeMap, sync::Arc};

#[cfg(feature = "jwt")]
use crate::config::jwt::JwtConfig;
use crate::config::{
    limits::AuthLimits,
    rights::{Right, Rights},
    user::User,
};

pub(crate) mod invalid;
#[cfg(feature = "jwt")]
pub(crate) mod jwt;
pub(crate) mod limits;
pub(crate) mod rights;
pub(crate) mod streams;
pub(crate) mod user;

/// Who may do what: of strangers, of users, and per stream.
///
/// ```
/// use mjpeg_auth::{AuthConfig, Right, Rights, User, hash_password};
///
/// let alice = User::new("alice")?
///     .with_password_hash(&hash_password("correct horse battery staple"))?
///     .with_rights(Rights::of([Right::View, Right::Control]));
/// let config = AuthConfig::default()
///     .with_anonymous(Rights::NONE)
///     .with_user(alice);
/// # Ok::<(), mjpeg_auth::InvalidAuth>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct AuthConfig {
    anonymous: Rights,
    users: Vec<Arc<User>>,
    views: BTreeMap<Arc<str>, Vec<Arc<str>>>,
    remote_user: bool,
    limits: AuthLimits,
    #[cfg(feature = "jwt")]
    jwt: Option<JwtConfig>,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            anonymous: Rights::of([Right::View, Right::Replay]),
            users: Vec::new(),
            views: BTreeMap::new(),
            remote_user: false,
            limits: AuthLimits::default(),
            #[cfg(feature = "jwt")]
            jwt: None,
        }
    }
}

impl AuthConfig {
    /// Sets what somebody without credentials may do, with every stream that has no
    /// [list of viewers](Self::with_view). Default: view and replay. Users may do the same besides
    /// what they may by themselves.
    ///
    /// [`Right::Control`] is refused by [`Auth::new`](crate::Auth::new).
    pub fn with_anonymous(mut self, rights: Rights) -> Self {
        self.anonymous = rights;
        self
    }

    /// Adds a user. Default: none. At most 1000, checked by [`Auth::new`](crate::Auth::new), as is
    /// that no two have the same name, token or certificate.
    pub fn with_user(mut self, user: User) -> Self {
        self.users.push(Arc::new(user));
        self
    }

    /// Closes a stream to strangers: these users take their place. They may view it, and do with it
    /// what [strangers may](Self::with_anonymous) with others, whatever rights and streams they
    /// have besides. Default: no stream has such a list.
    ///
    /// A user who is not in the list still has the rights of their own: one with
    /// [`Right::View`] for `*` sees this stream too. An empty list leaves only those. A second call
    /// for the same stream replaces the list.
    ///
    /// That the users exist is checked by [`Auth::new`](crate::Auth::new).
    pub fn with_view<N: Into<Arc<str>>>(
        mut self,
        stream: impl Into<Arc<str>>,
        users: impl IntoIterator<Item = N>,
    ) -> Self {
        let users = users.into_iter().map(Into::into).collect();
        self.views.insert(stream.into(), users);
        self
    }

    /// Sets whether the user is who a trusted proxy says in the header `Remote-User`. Default: no.
    ///
    /// Each listener has [trusted proxies](mjpeg_http::ListenerConfig::with_trusted_proxies) of its
    /// own. A proxy must remove the header from its clients' requests. A name that no user has
    /// counts as none.
    pub fn with_remote_user(mut self, is_trusted: bool) -> Self {
        self.remote_user = is_trusted;
        self
    }

    /// Sets the limits of logins and sessions. Default: those of [`AuthLimits::default`].
    pub fn with_limits(mut self, limits: AuthLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets whether JSON Web Tokens of an identity provider prove who somebody is. Default: no.
    /// They are valid once there are [keys](crate::Auth::set_jwt_keys).
    #[cfg(feature = "jwt")]
    pub fn with_jwt(mut self, jwt: impl Into<Option<JwtConfig>>) -> Self {
        self.jwt = jwt.into();
        self
    }

    /// What somebody without credentials may do.
    pub fn anonymous(&self) -> Rights {
        self.anonymous
    }

    /// The users, in the order they were added.
    pub fn users(&self) -> &[Arc<User>] {
        &self.users
    }

    /// The streams that are closed to strangers, with the users that take their place.
    pub fn views(&self) -> impl Iterator<Item = (&str, &[Arc<str>])> {
        self.views
            .iter()
            .map(|(stream, users)| (&**stream, &**users))
    }

    /// Who takes the strangers' place with a stream; `None` if it has no such list.
    pub(crate) fn view(&self, stream: &str) -> Option<&[Arc<str>]> {
        self.views.get(stream).map(|users| &**users)
    }

    /// Whether the header `Remote-User` of a trusted proxy counts.
    pub fn remote_user(&self) -> bool {
        self.remote_user
    }

    /// Which JSON Web Tokens prove who somebody is; `None` if none does.
    #[cfg(feature = "jwt")]
    pub fn jwt(&self) -> Option<&JwtConfig> {
        self.jwt.as_ref()
    }

    /// The limits of logins and sessions.
    pub fn limits(&self) -> &AuthLimits {
        &self.limits
    }
}
