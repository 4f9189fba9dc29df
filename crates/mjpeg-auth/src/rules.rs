//! Who may do what: the settings, checked and indexed.

use std::{collections::HashMap, sync::Arc};

use crate::{
    auth::who::Who,
    config::{
        AuthConfig,
        invalid::InvalidAuth,
        limits::AuthLimits,
        rights::{Right, Rights},
        user::User,
    },
    digest::Sha256,
    hash::StoredPassword,
};

/// Checked settings. Decides without waiting, and without a clock.
pub(crate) struct Rules {
    config: AuthConfig,
    users: HashMap<Arc<str>, Arc<User>>,
    tokens: HashMap<Sha256, Arc<User>>,
    certificates: HashMap<Sha256, Arc<User>>,
    /// What is verified for names that no user has, or whose user has no password.
    dummy: StoredPassword,
}

impl Rules {
    pub(crate) fn new(config: AuthConfig) -> Result<Self, InvalidAuth> {
        if config.anonymous().has(Right::Control) {
            return Err(InvalidAuth::AnonymousControl);
        }
        if config.users().len() > MOST_USERS {
            return Err(InvalidAuth::TooManyUsers { most: MOST_USERS });
        }
        let mut rules = Self {
            users: HashMap::new(),
            tokens: HashMap::new(),
            certificates: HashMap::new(),
            dummy: StoredPassword::dummy(config.users().iter().filter_map(|user| user.password())),
            config,
        };
        for user in rules.config.users() {
            let name = user.shared_name();
            if rules
                .users
                .insert(user.shared_name(), Arc::clone(user))
                .is_some()
            {
                return Err(InvalidAuth::DuplicateUser { user: name });
            }
            if let Some(other) = index(&mut rules.tokens, user.tokens(), user) {
                return Err(InvalidAuth::DuplicateToken { user: name, other });
            }
            if let Some(other) = index(&mut rules.certificates, user.certificates(), user) {
                return Err(InvalidAuth::DuplicateCertificate { user: name, other });
            }
        }
        for (stream, users) in rules.config.views() {
            let unknown = users.iter().find(|&user| !rules.users.contains_key(user));
            if let Some(user) = unknown {
                return Err(InvalidAuth::UnknownViewer {
                    stream: stream.into(),
                    user: Arc::clone(user),
                });
            }
        }
        Ok(rules)
    }

    pub(crate) fn config(&self) -> &AuthConfig {
        &self.config
    }

    pub(crate) fn limits(&self) -> &AuthLimits {
        self.config.limits()
    }

    /// Whether anybody has credentials.
    pub(crate) fn has_users(&self) -> bool {
        #[cfg(feature = "jwt")]
        let has_tokens = self.config.jwt().is_some();
        #[cfg(not(feature = "jwt"))]
        let has_tokens = false;
        !self.users.is_empty() || has_tokens
    }

    pub(crate) fn user(&self, name: &str) -> Option<&Arc<User>> {
        self.users.get(name)
    }

    pub(crate) fn user_of_token(&self, token: &str) -> Option<&Arc<User>> {
        self.tokens.get(&Sha256::of(token.as_bytes()))
    }

    pub(crate) fn user_of_certificate(&self, der: &[u8]) -> Option<&Arc<User>> {
        if self.certificates.is_empty() {
            return None;
        }
        self.certificates.get(&Sha256::of(der))
    }

    /// What the password of this name is verified against; for an unknown name, something that no
    /// password matches.
    pub(crate) fn password(&self, name: &str) -> &StoredPassword {
        let user = self.users.get(name);
        user.and_then(|user| user.password()).unwrap_or(&self.dummy)
    }

    /// Whether the user of this name has a password with this hash.
    pub(crate) fn is_password_hash(&self, name: &str, hash: &str) -> bool {
        let stored = self.users.get(name).and_then(|user| user.password());
        stored.is_some_and(|stored| &**stored.hash() == hash)
    }

    /// Whether somebody may do something, with a stream or, for `None`, with what is not about a
    /// single named one. A user who is gone may do nothing.
    pub(crate) fn may(&self, who: &Who, right: Right, stream: Option<&str>) -> bool {
        #[cfg(feature = "jwt")]
        if let Some(claimed) = who.claimed() {
            let common = self.common(None, stream);
            let may = claimed.may(right, stream) || common.has(right);
            return may && self.config.jwt().is_some();
        }
        let name = who.name();
        let user = match name.map(|name| self.users.get(name)) {
            Some(None) => return false,
            Some(Some(user)) => Some(user),
            None => None,
        };
        user.is_some_and(|user| user.may(right, stream)) || self.common(name, stream).has(right)
    }

    /// Whether anybody may watch anything, with or without credentials.
    pub(crate) fn is_of_use(&self) -> bool {
        self.has_users() || self.config.anonymous() != Rights::NONE
    }

    /// What one may do without a right of one's own: what strangers may, unless the stream has a
    /// list of users who take their place.
    fn common(&self, name: Option<&str>, stream: Option<&str>) -> Rights {
        let anonymous = self.config.anonymous();
        match stream.and_then(|stream| self.config.view(stream)) {
            None => anonymous,
            Some(users) if name.is_some_and(|name| users.iter().any(|user| **user == *name)) => {
                anonymous.with(Right::View)
            }
            Some(_) => Rights::NONE,
        }
    }
}

/// Adds a user's digests. Returns the name of a user who has one of them already.
fn index(
    table: &mut HashMap<Sha256, Arc<User>>,
    digests: &[Sha256],
    user: &Arc<User>,
) -> Option<Arc<str>> {
    let mut others = digests
        .iter()
        .filter_map(|&digest| table.insert(digest, Arc::clone(user)));
    others.next().map(|other| other.shared_name())
}

const MOST_USERS: usize = 1000;
