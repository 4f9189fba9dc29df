//! JSON Web Tokens of an identity provider.
//!
//! The key decides the algorithm, never the token: a key is for one algorithm, secret keys
//! (`HS256`) and unsigned tokens (`none`) do not exist here, and nothing that the token says leads
//! to another key than those that were set.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::SystemTime,
};

use tokio::{sync::Notify, time::Instant};
use tracing::debug;

use crate::{
    auth::who::Who,
    config::jwt::JwtConfig,
    jwt::{
        claims::Claims,
        compact::{Compact, RefusedToken},
        keys::JwtKeys,
    },
};

pub(crate) mod claims;
pub(crate) mod compact;
pub(crate) mod keys;

/// The keys that tokens are signed with, and what is missing of them.
#[derive(Default)]
pub(crate) struct JwtVerifier {
    keys: RwLock<Arc<JwtKeys>>,
    /// Notified when a token names a key that is not there.
    pub(crate) unknown_key: Notify,
}

impl JwtVerifier {
    /// Replaces the keys. Returns whether they differ.
    pub(crate) fn set_keys(&self, keys: JwtKeys) -> bool {
        let mut current = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let differ = **current != keys;
        if differ {
            *current = Arc::new(keys);
        }
        differ
    }

    /// Finds out whose token this is; `None` if it is not valid.
    pub(crate) fn identify(&self, config: &JwtConfig, token: &str) -> Option<Who> {
        let keys = Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner));
        let claimed = Compact::read(token).and_then(|token| {
            let claims = token.verified(&keys)?;
            Claims(claims).check(config, (SystemTime::now(), Instant::now()))
        });
        let refused = match claimed {
            Ok(who) => return Some(who),
            Err(refused) => refused,
        };
        if let RefusedToken::UnknownKey = refused {
            self.unknown_key.notify_one();
        }
        // Nothing of the token itself.
        debug!(reason = refused.reason(), "a token is refused");
        None
    }
}
