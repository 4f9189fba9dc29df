//! The states of a stream.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use mjpeg_ingest::FailureKind;

/// How a stream's camera is doing. [`Display`](fmt::Display) includes the reason, for the operator;
/// [`public`](Self::public) is for everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind", rename_all = "snake_case"))]
#[non_exhaustive]
pub enum StreamState {
    /// The first connection attempt is under way, or connected and no picture has come yet.
    Connecting,
    /// Pictures come.
    Online,
    /// Connected, but no frame has come for ten of its usual intervals, and 2 s at least.
    Stalled {
        /// How long no frame has come.
        #[cfg_attr(
            feature = "serde",
            serde(rename = "after_s", serialize_with = "crate::json::seconds")
        )]
        after: Duration,
    },
    /// Not connected, or connected again and no picture has come since; the next attempt begins by
    /// itself.
    Offline {
        /// Why, for the operator. It may name addresses and paths, and repeat what a program or a
        /// camera said, without what looks like a secret.
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
        error: Arc<str>,
        /// Why, for everybody.
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::error_kind"))]
        reason: FailureKind,
        /// When the next attempt begins, about. If that has passed, the attempt is under way.
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::time"))]
        retry_at: SystemTime,
    },
    /// Not connected because nobody wants frames and the stream is
    /// [on demand](crate::StreamSpec::with_on_demand).
    Idle,
    /// Disconnected by [`Manager::pause`](crate::Manager::pause).
    Paused,
    /// The source had an end and reached it.
    Ended,
    /// The task that reads the camera panicked, which is a defect of this crate. It restarts by
    /// itself.
    Failed {
        /// What failed, for people.
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::text"))]
        error: Arc<str>,
        /// When it restarts, about.
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::time"))]
        retry_at: SystemTime,
    },
}

impl StreamState {
    /// Returns a stable word for machines: `connecting`, `online`, `stalled`, `offline`, `idle`,
    /// `paused`, `ended` or `failed`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Online => "online",
            Self::Stalled { .. } => "stalled",
            Self::Offline { .. } => "offline",
            Self::Idle => "idle",
            Self::Paused => "paused",
            Self::Ended => "ended",
            Self::Failed { .. } => "failed",
        }
    }

    /// Returns the state as a text for everybody: without the operator's addresses and paths, and
    /// without what a program or a camera said.
    ///
    /// ```
    /// use mjpeg_manager::StreamState;
    ///
    /// assert_eq!(StreamState::Idle.public(), "idle");
    /// ```
    pub fn public(&self) -> String {
        match self {
            Self::Offline { reason, .. } => format!("offline: {reason}"),
            other => other.to_string(),
        }
    }

    /// Whether two states are the same apart from the time of the next attempt.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Offline { error: a, .. }, Self::Offline { error: b, .. })
            | (Self::Failed { error: a, .. }, Self::Failed { error: b, .. }) => a == b,
            (a, b) => a == b,
        }
    }
}

impl fmt::Display for StreamState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stalled { after } => write!(f, "stalled: no picture for {after:.1?}"),
            Self::Offline { error, .. } => write!(f, "offline: {error}"),
            Self::Failed { error, .. } => write!(f, "failed: {error}"),
            Self::Ended => f.write_str("the recording has ended"),
            other => f.write_str(other.as_str()),
        }
    }
}
