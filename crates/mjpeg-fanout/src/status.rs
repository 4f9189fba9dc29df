//! The state of a producer's source.

use std::fmt;

/// The state of the source behind a producer; see [`Consumer::status`](crate::Consumer::status).
///
/// [`Display`](fmt::Display) writes it in lower case: `connecting`, `online`, `offline`, `idle`,
/// `starting`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// No frame yet, or reconnecting.
    #[default]
    Connecting,
    /// The source delivers frames.
    Online,
    /// The source is gone: its owner retries, has paused it, or has dropped the producer.
    Offline,
    /// The source is read on demand, and nobody wants frames.
    Idle,
    /// The source is read on demand, somebody wants frames, and the first has not come yet.
    Starting,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Connecting => "connecting",
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Idle => "idle",
            Self::Starting => "starting",
        })
    }
}
