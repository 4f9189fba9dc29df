//! What may be wrong with the settings.

use std::{sync::Arc, time::Duration};

/// A setting is wrong; the caller is at fault. No variant repeats a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAuth {
    /// The name of a user is none.
    #[error("user {user:?}: a name has 1 to 64 bytes, no colon and no control character")]
    UserName {
        /// The name.
        user: Arc<str>,
    },
    /// Two users have the same name.
    #[error("user {user:?}: there is another user of this name")]
    DuplicateUser {
        /// The name.
        user: Arc<str>,
    },
    /// There are more users than are allowed.
    #[error("there may be {most} users")]
    TooManyUsers {
        /// How many are allowed.
        most: usize,
    },
    /// A hash of a password is none.
    #[error(
        "user {user:?}: password_hash must begin with $argon2id$v=19$, as hash-password prints it, \
         and cost at most 256 MiB, 16 passes and 16 lanes"
    )]
    PasswordHash {
        /// The user who has it.
        user: Arc<str>,
    },
    /// A digest of a token is none.
    #[error("user {user:?}: token_hash must be sha256: and 64 hexadecimal digits")]
    TokenHash {
        /// The user who has it.
        user: Arc<str>,
    },
    /// Two users have the same token.
    #[error("user {user:?}: token_hash is also that of {other:?}")]
    DuplicateToken {
        /// The user who has it.
        user: Arc<str>,
        /// Another one who has it.
        other: Arc<str>,
    },
    /// A fingerprint of a certificate is none.
    #[error("user {user:?}: certificate must be a SHA-256 fingerprint of 64 hexadecimal digits")]
    Certificate {
        /// The user who has it.
        user: Arc<str>,
    },
    /// Two users have the same certificate.
    #[error("user {user:?}: certificate is also that of {other:?}")]
    DuplicateCertificate {
        /// The user who has it.
        user: Arc<str>,
        /// Another one who has it.
        other: Arc<str>,
    },
    /// Strangers would have control.
    #[error("anonymous: control needs users")]
    AnonymousControl,
    /// A stream's list of viewers names somebody who does not exist.
    #[error("stream {stream:?}: view names {user:?}, and there is no such user")]
    UnknownViewer {
        /// The stream.
        stream: Arc<str>,
        /// The name that no user has.
        user: Arc<str>,
    },
    /// A text of what tokens are accepted is none.
    #[cfg(feature = "jwt")]
    #[error("{setting} must have 1 to 1024 bytes and no control character")]
    JwtText {
        /// The name of the setting.
        setting: &'static str,
    },
    /// A limit is out of bounds.
    #[error("{setting} must be {least} to {most}")]
    Limit {
        /// The name of the setting.
        setting: &'static str,
        /// The smallest that is accepted.
        least: u32,
        /// The largest that is accepted.
        most: u32,
    },
    /// A time is out of bounds.
    #[error("{setting} must be {least:?} to {most:?}")]
    Time {
        /// The name of the setting.
        setting: &'static str,
        /// The shortest that is accepted.
        least: Duration,
        /// The longest that is accepted.
        most: Duration,
    },
}
