//! Why a call of the engine failed, and what that means for what it was to do.

use std::error::Error as StdError;

/// Why a call of the engine failed.
///
/// The difference between the first two matters: who has sent a claim and got no answer must
/// expect it to take effect later.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The request has not reached the engine, and never will. The network or the engine is at
    /// fault.
    #[error("the engine cannot be reached")]
    Unreachable(#[source] Box<dyn StdError + Send + Sync>),
    /// There was no answer. The request may have been executed, and may still be executed later.
    #[error("the engine has not answered")]
    Unknown(#[source] Box<dyn StdError + Send + Sync>),
    /// The engine has refused the login. The operator is at fault.
    #[error("the engine has refused the login")]
    Login(#[source] Box<dyn StdError + Send + Sync>),
    /// There is no encrypted connection to the engine, so it has got no request: one of the two
    /// does not trust the other's certificate. The operator is at fault.
    #[error("no encrypted connection to the engine")]
    Tls(#[source] Box<dyn StdError + Send + Sync>),
    /// The engine has refused the request and not executed it: a right, a lease that is gone, or a
    /// limit of its own.
    #[error("the engine has refused the request")]
    Refused(#[source] Box<dyn StdError + Send + Sync>),
}

impl EngineError {
    /// Whether the engine has answered, if only to refuse.
    pub fn is_answer(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Login(_))
    }
}
