//! Why somebody is not logged in, and why a link could not be made.

use std::{io, time::Duration};

/// Why a login fails; the client is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// The credentials are wrong, whatever is wrong about them.
    #[error("the name or the password is wrong")]
    Wrong,
    /// There were too many wrong ones, or too many at the same time. The credentials were not
    /// looked at.
    #[error("too many logins; try again in {} s", retry_after.as_secs_f64().ceil())]
    TooMany {
        /// When to try again.
        retry_after: Duration,
    },
}

/// Why a link could not be made, revoked, or read from disk.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The time at which it would expire is over, or more than a year ahead. The caller is at
    /// fault.
    #[error("a link must expire within a year")]
    Expiry,
    /// The frames per second are not a number above 0. The caller is at fault.
    #[error("the frames per second of a link must be a number above 0")]
    MaxFps,
    /// There are too many links already. The caller is at fault.
    #[error("there may be {most} links; revoke some")]
    TooMany {
        /// How many there may be.
        most: usize,
    },
    /// A file of links is not one that only this program can have written: it is a symbolic link,
    /// is another user's, may be read by others, or has another form. Whoever changed it is at
    /// fault.
    #[error("{file} in the state directory: {problem}")]
    Untrusted {
        /// The file's name.
        file: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A file could not be read or written. The system is at fault.
    #[error("cannot access {file} in the state directory")]
    Io {
        /// The file's name.
        file: &'static str,
        /// The system's error.
        source: io::Error,
    },
}

/// Why a key set cannot be used. The identity provider that publishes it must mend it.
#[cfg(feature = "jwt")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidJwtKeys {
    /// It is too large.
    #[error("the key set has more than {most} bytes")]
    TooLarge {
        /// How many bytes it may have.
        most: usize,
    },
    /// It has too many keys.
    #[error("the key set has more than {most} keys")]
    TooMany {
        /// How many it may have.
        most: usize,
    },
    /// It is something else.
    #[error("it is no JSON Web Key Set: {{\"keys\": […]}}")]
    NoKeySet,
    /// None of its keys is of a kind that is known here.
    #[error("none of its keys is for RS256 (2048 to 4096 bits), ES256 or EdDSA (Ed25519)")]
    NoneUsable,
}
