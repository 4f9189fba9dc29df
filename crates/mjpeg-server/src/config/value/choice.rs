//! Words to choose from.

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the start of the relay does about a camera that cannot be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline, extend("x-type" = "`\"retry\"` or `\"require\"`"))]
pub(crate) enum StartChoice {
    /// Start all the same, and try the camera again until it can be reached.
    #[default]
    Retry,
    /// Fail.
    Require,
}

/// What a node of a cluster does with its cameras when it does not reach the engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline, extend("x-type" = "`\"hold\"` or `\"drop\"`"))]
pub(crate) enum EngineLossChoice {
    /// Keep them while no other node reaches it either.
    #[default]
    Hold,
    /// Let them go.
    Drop,
}

/// A repair of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ValueEnum)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline, extend("x-type" = "word"))]
pub(crate) enum Repair {
    /// Insert the standard Huffman tables where a camera leaves them out; without them, Safari
    /// paints nothing
    HuffmanTables,
    /// Take out metadata that hold a picture of their own, such as Exif thumbnails; some viewers
    /// show that instead
    EmbeddedMarkers,
    /// Append the end marker where a camera leaves it out
    Eoi,
    /// Relay pictures byte for byte
    None,
}

/// How lines of the log are written.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ValueEnum,
)]
#[serde(rename_all = "lowercase")]
#[schemars(inline, extend("x-type" = "`\"text\"` or `\"json\"`"))]
pub(crate) enum LogFormat {
    /// For people
    #[default]
    Text,
    /// For programs: each line is a JSON object
    Json,
}

/// What a listener serves.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[schemars(inline, extend("x-type" = "word"))]
pub(crate) enum Serve {
    /// The streams below their names.
    Streams,
    /// The page and what it reads.
    Page,
    /// The control API.
    Control,
    /// Metrics for Prometheus.
    Metrics,
}

/// A right of a user.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[schemars(inline, extend("x-type" = "word"))]
pub(crate) enum RightWord {
    /// Watch streams, and take pictures.
    View,
    /// Send pictures to a stream.
    Push,
    /// Watch what was recorded.
    Replay,
    /// Change which streams run, and how.
    Control,
    /// Read the metrics beyond this machine.
    Metrics,
}

/// Something that happens to a stream.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[schemars(inline, extend("x-type" = "word"))]
pub(crate) enum EventWord {
    /// The first attempt to connect.
    Connecting,
    /// Pictures come.
    Online,
    /// Connected, and no picture comes.
    Stalled,
    /// Not connected.
    Offline,
    /// Not connected because nobody watches.
    Idle,
    /// Not connected because somebody wants it so.
    Paused,
    /// The source had an end.
    Ended,
    /// A defect of the program.
    Failed,
    /// The same picture again and again.
    Frozen,
    /// Other pictures again.
    Moving,
    /// The pictures show something: dark, covered, still or motion.
    Detected,
    /// They show it no longer.
    Cleared,
    /// Pictures come from another source.
    Source,
    /// A clip was kept on the disk.
    #[serde(rename = "clip_ready")]
    ClipReady,
    /// The stream was started.
    Started,
    /// The stream was changed.
    Reconfigured,
    /// The stream was stopped.
    Stopped,
}

impl EventWord {
    pub(crate) const ALL: [Self; 17] = [
        Self::Connecting,
        Self::Online,
        Self::Stalled,
        Self::Offline,
        Self::Idle,
        Self::Paused,
        Self::Ended,
        Self::Failed,
        Self::Frozen,
        Self::Moving,
        Self::Detected,
        Self::Cleared,
        Self::Source,
        Self::ClipReady,
        Self::Started,
        Self::Reconfigured,
        Self::Stopped,
    ];

    /// The word of the API for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Online => "online",
            Self::Stalled => "stalled",
            Self::Offline => "offline",
            Self::Idle => "idle",
            Self::Paused => "paused",
            Self::Ended => "ended",
            Self::Failed => "failed",
            Self::Frozen => "frozen",
            Self::Moving => "moving",
            Self::Detected => "detected",
            Self::Cleared => "cleared",
            Self::Source => "source",
            Self::ClipReady => "clip_ready",
            Self::Started => "started",
            Self::Reconfigured => "reconfigured",
            Self::Stopped => "stopped",
        }
    }
}
