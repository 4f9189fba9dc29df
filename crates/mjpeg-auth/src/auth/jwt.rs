//! The keys of an identity provider.

use crate::{auth::Auth, jwt::keys::JwtKeys};

impl Auth {
    /// Replaces the keys that [JSON Web Tokens](crate::AuthConfig::with_jwt) are signed with. All
    /// clones see it. Until the first call there are none, and no token is valid. Returns whether
    /// they differ from those before: then viewers should be
    /// [rechecked](mjpeg_http::StreamService::recheck).
    ///
    /// Where the keys come from, and how often they are read again, is up to the caller. A change
    /// of settings keeps them.
    pub fn set_jwt_keys(&self, keys: JwtKeys) -> bool {
        self.0.jwt.set_keys(keys)
    }

    /// Waits until a token has named a key that is not there, since the last time that this
    /// returned. There may be new ones; but anybody can name keys that do not exist, so read the
    /// keys only so often.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe. If several wait, one of them returns.
    pub async fn unknown_jwt_key(&self) {
        self.0.jwt.unknown_key.notified().await;
    }
}
