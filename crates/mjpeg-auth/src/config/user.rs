//! A user, and what proves to be one.

use std::{fmt, sync::Arc};

use crate::{
    config::{
        invalid::InvalidAuth,
        rights::{Right, Rights},
        streams::StreamSet,
    },
    digest::Sha256,
    hash::StoredPassword,
};

/// Somebody who has a name, rights, and something that proves who they are: a password, tokens, or
/// client certificates.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    name: Arc<str>,
    password: Option<StoredPassword>,
    tokens: Vec<Sha256>,
    certificates: Vec<Sha256>,
    rights: Rights,
    streams: StreamSet,
}

impl User {
    /// Makes a user of this name, without rights and without anything that proves to be that user.
    ///
    /// # Errors
    ///
    /// [`InvalidAuth::UserName`] unless the name has 1 to 64 bytes, no colon and no control
    /// character.
    pub fn new(name: impl Into<Arc<str>>) -> Result<Self, InvalidAuth> {
        let name = name.into();
        if !is_user_name(&name) {
            return Err(InvalidAuth::UserName { user: name });
        }
        Ok(Self {
            name,
            password: None,
            tokens: Vec::new(),
            certificates: Vec::new(),
            rights: Rights::NONE,
            streams: StreamSet::ALL,
        })
    }

    /// Sets the hash of the password, in the form of [`hash_password`](crate::hash_password):
    /// `$argon2id$v=19$m=…,t=…,p=…$SALT$HASH`. Default: none, and no password is right.
    ///
    /// # Errors
    ///
    /// [`InvalidAuth::PasswordHash`] if it is something else, or costs more than 256 MiB, 16 passes
    /// or 16 lanes.
    pub fn with_password_hash(mut self, hash: &str) -> Result<Self, InvalidAuth> {
        let Some(stored) = StoredPassword::parse(hash) else {
            return Err(InvalidAuth::PasswordHash { user: self.name });
        };
        self.password = Some(stored);
        Ok(self)
    }

    /// Adds the digest of a token, in the form of [`hash_token`](crate::hash_token): `sha256:` and
    /// 64 hexadecimal digits. Default: no token.
    ///
    /// The token itself must be random ([`new_token`](crate::new_token)): unlike a password, it is
    /// protected by nothing but its length.
    ///
    /// # Errors
    ///
    /// [`InvalidAuth::TokenHash`] if it is something else.
    pub fn with_token_hash(mut self, hash: &str) -> Result<Self, InvalidAuth> {
        let Some(digest) = hash.strip_prefix("sha256:").and_then(Sha256::from_hex) else {
            return Err(InvalidAuth::TokenHash { user: self.name });
        };
        self.tokens.push(digest);
        Ok(self)
    }

    /// Adds the SHA-256 fingerprint of a client certificate (of its DER form): 64 hexadecimal
    /// digits, which may be separated by colons. Default: no certificate.
    ///
    /// # Errors
    ///
    /// [`InvalidAuth::Certificate`] if it is something else.
    pub fn with_certificate(mut self, fingerprint: &str) -> Result<Self, InvalidAuth> {
        let Some(digest) = Sha256::from_hex(&fingerprint.replace(':', "")) else {
            return Err(InvalidAuth::Certificate { user: self.name });
        };
        self.certificates.push(digest);
        Ok(self)
    }

    /// Sets what the user may do. Default: nothing more than
    /// [strangers](crate::AuthConfig::with_anonymous).
    pub fn with_rights(mut self, rights: Rights) -> Self {
        self.rights = rights;
        self
    }

    /// Sets with which streams. Default: all. What is not about a single stream needs all of them:
    /// to create streams, to read the metrics.
    pub fn with_streams(mut self, streams: StreamSet) -> Self {
        self.streams = streams;
        self
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the user may do.
    pub fn rights(&self) -> Rights {
        self.rights
    }

    /// With which streams.
    pub fn streams(&self) -> &StreamSet {
        &self.streams
    }

    /// Whether the user can log in with a password.
    pub fn has_password(&self) -> bool {
        self.password.is_some()
    }

    pub(crate) fn shared_name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    pub(crate) fn password(&self) -> Option<&StoredPassword> {
        self.password.as_ref()
    }

    pub(crate) fn tokens(&self) -> &[Sha256] {
        &self.tokens
    }

    pub(crate) fn certificates(&self) -> &[Sha256] {
        &self.certificates
    }

    /// Whether the user may do this with this stream by a right of their own.
    pub(crate) fn may(&self, right: Right, stream: Option<&str>) -> bool {
        self.rights.has(right) && self.streams.contains(stream)
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("name", &self.name)
            .field("password", &self.password)
            .field("tokens", &self.tokens)
            .field("certificates", &self.certificates)
            .field("rights", &self.rights)
            .field("streams", &self.streams)
            .finish()
    }
}

/// Whether a user can have this name.
pub(crate) fn is_user_name(name: &str) -> bool {
    let is_bad = |c: char| c == ':' || c.is_control();
    !name.is_empty() && name.len() <= LONGEST_NAME_BYTES && !name.contains(is_bad)
}

const LONGEST_NAME_BYTES: usize = 64;
