//! Logins that were verified lately, so that they cost no second verification.

use std::{collections::HashMap, sync::Arc, time::Duration};

use ring::hmac;
use tokio::time::Instant;

use crate::hash::SharedHash;

/// The last login of each user. Pure: times are given from outside. It has at most as many entries
/// as there are users.
#[derive(Default)]
pub(crate) struct VerifiedLogins(HashMap<Arc<str>, VerifiedLogin>);

/// A verified login.
struct VerifiedLogin {
    /// Signs the name and the password.
    tag: hmac::Tag,
    /// What the password was verified against.
    hash: SharedHash,
    used: Instant,
}

impl VerifiedLogins {
    /// What signs the name and password of a user with this hash, if they were verified and used no
    /// longer ago than this.
    pub(crate) fn tag(
        &self,
        name: &str,
        hash: &str,
        kept: Duration,
        now: Instant,
    ) -> Option<&[u8]> {
        let login = self.0.get(name)?;
        let is_current = &*login.hash == hash && now.saturating_duration_since(login.used) < kept;
        is_current.then(|| login.tag.as_ref())
    }

    /// Notes that a login was used.
    pub(crate) fn touch(&mut self, name: &str, now: Instant) {
        if let Some(login) = self.0.get_mut(name) {
            login.used = now;
        }
    }

    pub(crate) fn insert(&mut self, name: &str, tag: hmac::Tag, hash: &SharedHash, now: Instant) {
        let login = VerifiedLogin {
            tag,
            hash: Arc::clone(hash),
            used: now,
        };
        self.0.insert(name.into(), login);
    }

    /// Keeps the logins of users who still have this hash.
    pub(crate) fn retain(&mut self, is_current: impl Fn(&str, &str) -> bool) {
        self.0.retain(|name, login| is_current(name, &login.hash));
    }
}
