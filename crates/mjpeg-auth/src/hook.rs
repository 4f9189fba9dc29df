//! Somebody else who decides what the settings leave open.

pub(crate) mod answers;
pub(crate) mod pause;
pub(crate) mod queries;

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::config::rights::Right;

/// Decides about what the settings do not allow already: who may view, push or replay a stream.
/// Given to [`Auth::set_hook`](crate::Auth::set_hook).
///
/// It is not asked about [`Right::Control`] and [`Right::Metrics`], nor about what is not about a
/// single named stream.
///
/// ```
/// use mjpeg_auth::{AuthHook, HookAnswer, HookQuestion};
///
/// struct OfficeHours;
///
/// #[async_trait::async_trait]
/// impl AuthHook for OfficeHours {
///     async fn ask(&self, question: &HookQuestion) -> HookAnswer {
///         match question.user.as_deref() {
///             Some("janitor") if question.is_verified() => HookAnswer::Allow,
///             _ => HookAnswer::Deny,
///         }
///     }
/// }
/// ```
#[async_trait]
pub trait AuthHook: Send + Sync + 'static {
    /// Answers a question, within a few seconds: the request waits.
    ///
    /// An allowance is remembered for 60 s, a denial for 5 s. Equal questions that come meanwhile
    /// wait for the same answer. At most 32 are asked at once for new requests, 8 of them for one
    /// address, and 8 about viewers who are watching already.
    ///
    /// # Cancel safety
    ///
    /// Must be cancel safe: the call is dropped when nobody waits for it any more.
    async fn ask(&self, question: &HookQuestion) -> HookAnswer;
}

/// Who wants to do what. `Debug` shows no token.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HookQuestion {
    /// The name that a client gives, or that of a [verified](Self::is_verified) user; `None` for a
    /// stranger, and for somebody with a token alone.
    pub user: Option<Arc<str>>,
    /// The password or the token of a client that the settings do not know.
    pub token: Option<Arc<str>>,
    /// The client's address, if known.
    pub address: Option<IpAddr>,
    /// The stream.
    pub stream: Arc<str>,
    /// What they want to do: view, push or replay.
    pub right: Right,
}

/// What an [`AuthHook`] answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(
    clippy::exhaustive_enums,
    reason = "each answer means something else to the caller"
)]
pub enum HookAnswer {
    /// They may.
    Allow,
    /// They may not. A viewer who is watching is disconnected.
    Deny,
    /// The hook could not decide. New requests are denied; viewers who are watching stay.
    Failed,
    /// The hook did not answer. As [`Failed`](Self::Failed); besides, after five in a row, it is
    /// asked only once a second until it answers.
    Unreachable,
}

impl HookQuestion {
    /// Whether the user was found out already, so that there is nothing to verify: by a password,
    /// a token, a session, a proxy or a certificate that the settings know. Else the name is what
    /// the client says, and the token has to prove it.
    pub fn is_verified(&self) -> bool {
        self.user.is_some() && self.token.is_none()
    }
}

impl fmt::Debug for HookQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HookQuestion")
            .field("user", &self.user)
            .field("token", &self.token.as_ref().map(|_| "***"))
            .field("address", &self.address)
            .field("stream", &self.stream)
            .field("right", &self.right)
            .finish()
    }
}

/// A reading of the counters of a hook's answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HookStats {
    /// Times that it was asked and allowed.
    pub allowed: u64,
    /// Times that it was asked and denied.
    pub denied: u64,
    /// Times that it was asked and could not decide, or did not answer.
    pub failed: u64,
    /// Questions that were not asked, because too many were, or it did not answer before. They
    /// count as denied.
    pub refused: u64,
}

/// How often the viewers have to be [rechecked](mjpeg_http::StreamService::recheck) while there is
/// a hook, so that each is asked about again within a minute.
pub const HOOK_RECHECK_INTERVAL: Duration = Duration::from_secs(10);
