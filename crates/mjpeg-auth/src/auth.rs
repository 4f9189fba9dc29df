//! Who sent a request, and what they may do.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderValue, Response};
use mjpeg_http::{Inquiry, Peer};
use tokio::time::Instant;
use tracing::debug;

#[cfg(feature = "jwt")]
use crate::jwt::JwtVerifier;
use crate::{
    auth::{
        proof::Proof,
        who::{Means, Who},
    },
    config::{AuthConfig, invalid::InvalidAuth, rights::Right, user::is_user_name},
    digest::random,
    error::LoginError,
    hook::{HookStats, queries::HookQueries},
    links::Links,
    passwords::Passwords,
    requests::{authorization::Presented, cookies, proxied},
    rules::Rules,
    sessions::Sessions,
};

mod gate;
mod hook;
#[cfg(feature = "jwt")]
mod jwt;
mod proof;
pub(crate) mod refusal;
pub(crate) mod who;

/// Decides who sent a request, and what they may do: a [`Gate`](mjpeg_http::Gate), and what other
/// services ask. Cheap to clone; all clones are one.
///
/// Who somebody is, is found out in this order:
///
/// 1. the header `Remote-User` of a trusted proxy, [if that counts](AuthConfig::with_remote_user);
/// 2. the header `Authorization`: a name and a password (`Basic`), or a token (`Bearer`): a user's
///    own, or with the feature `jwt` one of an identity provider. Wrong ones are an error, even
///    where strangers would be admitted. Without any user, the header is ignored. Where there is a
///    [hook](Self::set_hook), those that no user has are its matter;
/// 3. the cookie of a [session](Self::login);
/// 4. the client's TLS certificate.
///
/// A client with none of these is a stranger. A [signed link](Links) admits everybody who has its
/// URL, and does not say who they are.
#[derive(Clone)]
pub struct Auth(Arc<AuthShared>);

/// What all clones share.
struct AuthShared {
    rules: RwLock<Arc<Rules>>,
    passwords: Passwords,
    sessions: Mutex<Sessions>,
    links: Option<Links>,
    logins: AtomicU64,
    hook: HookQueries,
    #[cfg(feature = "jwt")]
    jwt: JwtVerifier,
}

/// A reading of the counters of [`Auth`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthStats {
    /// Passwords that were hashed to verify them.
    pub verifications: u64,
    /// Passwords that were wrong, those for unknown names included.
    pub wrong: u64,
    /// Logins that were refused without a look at the password, because there were too many.
    pub refused: u64,
    /// Sessions that have begun.
    pub logins: u64,
    /// Sessions that there are now.
    pub sessions: usize,
    /// What the [hook](Auth::set_hook) has answered.
    pub hook: HookStats,
}

/// A session that has begun, from [`Auth::login`].
pub struct LoginSession {
    value: String,
    user: Arc<str>,
    time: Duration,
}

impl Auth {
    /// Makes one with these settings, without links.
    ///
    /// # Errors
    ///
    /// [`InvalidAuth`] if something is wrong with users or lists of viewers, or strangers would
    /// have control.
    ///
    /// # Panics
    ///
    /// If the system has no random bytes.
    pub fn new(config: AuthConfig) -> Result<Self, InvalidAuth> {
        Self::of(config, None)
    }

    /// Makes one with these settings, which also admits the holders of these links.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    ///
    /// # Panics
    ///
    /// If the system has no random bytes.
    pub fn with_links(config: AuthConfig, links: Links) -> Result<Self, InvalidAuth> {
        Self::of(config, Some(links))
    }

    fn of(config: AuthConfig, links: Option<Links>) -> Result<Self, InvalidAuth> {
        Ok(Self(Arc::new(AuthShared {
            rules: RwLock::new(Arc::new(Rules::new(config)?)),
            passwords: Passwords::new(),
            sessions: Mutex::default(),
            links,
            logins: AtomicU64::new(0),
            hook: HookQueries::new(),
            #[cfg(feature = "jwt")]
            jwt: JwtVerifier::default(),
        })))
    }

    /// Replaces the settings. All clones see it. Sessions and remembered logins of users who are
    /// gone, or have another password, end.
    ///
    /// Viewers who were admitted earlier are not asked about;
    /// [`StreamService::recheck`](mjpeg_http::StreamService::recheck) does that.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new). Then nothing has changed.
    pub fn replace(&self, config: AuthConfig) -> Result<(), InvalidAuth> {
        let rules = Arc::new(Rules::new(config)?);
        let mut current = self.0.rules.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::clone(&rules);
        drop(current);
        self.0.passwords.retain(&rules);
        self.sessions().retain(&rules);
        Ok(())
    }

    /// Returns the settings that apply now.
    pub fn config(&self) -> AuthConfig {
        self.rules().config().clone()
    }

    /// Returns the links; `None` if there are none.
    pub fn links(&self) -> Option<&Links> {
        self.0.links.as_ref()
    }

    /// Reads the counters.
    pub fn stats(&self) -> AuthStats {
        let (verifications, wrong, refused) = self.0.passwords.counts();
        AuthStats {
            verifications,
            wrong,
            refused,
            logins: self.0.logins.load(Ordering::Relaxed),
            sessions: self.sessions().len(),
            hook: self.0.hook.stats(),
        }
    }

    /// Finds out who sent a request. It looks at the inquiry's headers, peer and TLS details; not
    /// at links. Somebody whom only the [hook](Self::set_hook) may know is a stranger here.
    ///
    /// # Errors
    ///
    /// [`LoginError`] if credentials in `Authorization` are wrong, or cannot be looked at now.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe. A password whose verification was given up counts as a wrong one.
    pub async fn identify(&self, inquiry: &Inquiry) -> Result<Who, LoginError> {
        self.identify_by(&self.rules(), inquiry).await
    }

    /// Finds out who sent a request, by these rules.
    async fn identify_by(&self, rules: &Rules, inquiry: &Inquiry) -> Result<Who, LoginError> {
        if rules.config().remote_user()
            && let Some(name) = proxied::remote_user(inquiry)
            && let Some(user) = rules.user(name)
        {
            return Ok(Who::new(user.shared_name(), Means::RemoteUser));
        }
        let has_hook = self.has_hook();
        if rules.has_users() || has_hook {
            match Presented::read(&inquiry.headers) {
                Presented::Nothing => {}
                Presented::Password { name, password }
                    if has_hook && rules.user(&name).is_none() =>
                {
                    let is_name = name.is_empty() || is_user_name(&name);
                    let who = is_name.then(|| Who::of_unknown(Some(&name), &password));
                    return who.ok_or(LoginError::Wrong);
                }
                Presented::Password { name, password } => {
                    let credentials = (&*name, &*password);
                    self.verify(rules, credentials, inquiry).await?;
                    return Ok(Who::new(name, Means::Password));
                }
                Presented::Token(token) => return self.bearer(rules, &token),
                Presented::Nonsense => {
                    debug!("credentials of a form that is not known");
                    return Err(LoginError::Wrong);
                }
            }
        }
        let now = Instant::now();
        for value in cookies::values(inquiry) {
            if let Some((name, until)) = self.sessions().find(value, rules, now) {
                return Ok(Who::new(name, Means::Session).until(until));
            }
        }
        let certificate = inquiry.tls.as_ref();
        let certificate = certificate.and_then(|tls| tls.client_certificate.as_ref());
        if let Some(user) = certificate.and_then(|der| rules.user_of_certificate(der)) {
            return Ok(Who::new(user.shared_name(), Means::Certificate));
        }
        Ok(Who::STRANGER)
    }

    /// Finds out whose token this is: a user's, or that of an identity provider.
    fn bearer(&self, rules: &Rules, token: &str) -> Result<Who, LoginError> {
        if let Some(user) = rules.user_of_token(token) {
            return Ok(Who::new(user.shared_name(), Means::Token));
        }
        #[cfg(feature = "jwt")]
        if let Some(config) = rules.config().jwt()
            && let Some(who) = self.0.jwt.identify(config, token)
        {
            return Ok(who);
        }
        let of_hook = || Who::of_unknown(None, token);
        self.has_hook().then(of_hook).ok_or(LoginError::Wrong)
    }

    /// Whether somebody may do something, with this stream; `None` stands for one without a name,
    /// and for what is not about a single stream, such as creating one. Judged by the settings that
    /// apply now: a user who is gone may do nothing.
    pub fn may(&self, who: &Who, right: Right, stream: Option<&str>) -> bool {
        self.rules().may(who, right, stream)
    }

    /// Whether every stream is open to everybody, so that no name of one need be hidden.
    pub fn is_open(&self) -> bool {
        let rules = self.rules();
        let config = rules.config();
        config.anonymous().has(Right::View) && config.views().next().is_none()
    }

    /// Makes the answer that refuses somebody who may not do what an inquiry is about, as
    /// [the table](crate#what-those-are-told-who-may-not) says.
    pub fn refuse(&self, who: &Who, inquiry: &Inquiry) -> Response<Bytes> {
        refusal::refusal(&self.rules(), who, inquiry)
    }

    /// Answers a request for a stream that does not exist, exactly as one for a stream that its
    /// sender may not see: else names could be found out. `404`; `401` if nothing is open to
    /// strangers and a stranger asks; the answer of [`identify`](Self::identify)'s error if there
    /// is one.
    ///
    /// # Cancel safety
    ///
    /// As [`identify`](Self::identify).
    pub async fn refuse_unknown(&self, inquiry: &Inquiry) -> Response<Bytes> {
        let rules = self.rules();
        match self.identify_by(&rules, inquiry).await {
            Ok(who) => refusal::hidden(&rules, &who, inquiry),
            Err(error) => error.response(inquiry),
        }
    }

    /// Begins a session: of a name and a password from a login page. The client comes from `peer`.
    /// Each login has a cookie of its own, whatever cookies the client has sent.
    ///
    /// # Errors
    ///
    /// [`LoginError`], which is the same for an unknown name and a wrong password.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no session begins. A verification that was given up counts as a wrong password.
    pub async fn login(
        &self,
        name: &str,
        password: &str,
        peer: Option<Peer>,
    ) -> Result<LoginSession, LoginError> {
        let rules = self.rules();
        let passwords = &self.0.passwords;
        passwords.verify(&rules, name, password, peer).await?;
        let limits = rules.limits();
        let session = LoginSession {
            value: BASE64_URL_SAFE_NO_PAD.encode(random::<32>()),
            user: name.into(),
            time: limits.session_time(),
        };
        let hash = rules.password(name).hash();
        self.sessions().begin(
            &session.value,
            (name, hash),
            (limits.max_sessions(), session.time),
            Instant::now(),
        );
        self.0.logins.fetch_add(1, Ordering::Relaxed);
        Ok(session)
    }

    /// Ends the session that a request's cookie stands for, if there is one. Returns the header
    /// `Set-Cookie` that removes the cookie.
    pub fn logout(&self, inquiry: &Inquiry) -> HeaderValue {
        let mut sessions = self.sessions();
        for value in cookies::values(inquiry) {
            sessions.end(value);
        }
        cookies::set(inquiry, "", Duration::ZERO)
    }

    /// Verifies a password, unless that was done when the same request was admitted: a recheck of
    /// many viewers must not have to hash all their passwords.
    async fn verify(
        &self,
        rules: &Rules,
        (name, password): (&str, &str),
        inquiry: &Inquiry,
    ) -> Result<(), LoginError> {
        let passwords = &self.0.passwords;
        let proof = inquiry.proof.as_deref();
        match proof.map(|proof| Proof::read(proof).password.unwrap_or_default()) {
            Some(proof) if passwords.is_proof(rules, name, proof) => Ok(()),
            // The user is gone: this is no guess.
            Some(_) if rules.user(name).is_none() => Err(LoginError::Wrong),
            _ => passwords.verify(rules, name, password, inquiry.peer).await,
        }
    }

    pub(crate) fn rules(&self) -> Arc<Rules> {
        let rules = self.0.rules.read();
        Arc::clone(&rules.unwrap_or_else(PoisonError::into_inner))
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        let sessions = self.0.sessions.lock();
        sessions.unwrap_or_else(PoisonError::into_inner)
    }
}

impl LoginSession {
    /// Who has logged in.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The header `Set-Cookie` for the answer to this request. The cookie is for the port that the
    /// request names, `HttpOnly` and `SameSite=Strict`; and `Secure` with the prefix `__Host-` if
    /// the client's connection is encrypted, as far as TLS here or a trusted proxy's
    /// `X-Forwarded-Proto` tells.
    pub fn set_cookie(&self, inquiry: &Inquiry) -> HeaderValue {
        cookies::set(inquiry, &self.value, self.time)
    }
}

impl fmt::Debug for LoginSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginSession")
            .field("value", &"***")
            .field("user", &self.user)
            .field("time", &self.time)
            .finish()
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth")
            .field("config", self.rules().config())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
