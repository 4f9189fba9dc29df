//! What runs.

use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{StartMode, StreamName};

/// A reading of what a manager counts over all its streams, from [`Manager::stats`](crate::Manager::stats).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ManagerStats {
    /// Streams there are now, those being started and stopped included.
    pub streams: usize,
    /// Starts that failed because there were [as many as there may be](crate::ManagerConfig::max_streams).
    pub streams_refused: u64,
    /// Viewers of all streams now; 0 without the feature `listener`.
    pub viewers: usize,
    /// Viewers refused because all streams together had as many as they may (`ManagerConfig::max_viewers`).
    pub viewers_refused: u64,
}

/// A reading of one stream, from [`Manager::get`](crate::Manager::get) and [`list`](crate::Manager::list).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StreamInfo {
    /// Its name.
    pub name: StreamName,
    /// The source in use, as people write it; never with a password.
    pub source: String,
    /// All its sources, the preferred one first.
    pub sources: Vec<SourceInfo>,
    /// Whether its camera is connected only while somebody wants frames.
    pub on_demand: bool,
    /// How it was started.
    pub mode: StartMode,
    /// Where its viewers connect, with the real port.
    pub listen: Option<SocketAddr>,
    /// Whom the camera's connection leads to, or led to last.
    pub peer: Option<String>,
    /// How the camera in use is doing.
    pub state: State,
    /// Since when it is in that state. Of an outage that is its beginning, however many attempts have failed since.
    pub since: SystemTime,
    /// Since when the camera has sent the same frame again and again, if it has for the [set time](crate::StreamSpec::frozen_after).
    pub frozen_since: Option<SystemTime>,
    /// Width and height of the latest frame, in pixels.
    pub size: Option<(u16, u16)>,
    /// Frames per second over the last seconds; 0 when none came lately.
    pub fps: f64,
    /// Frames published since the start.
    pub frames: u64,
    /// Bytes of those frames, as published.
    pub bytes: u64,
    /// What was not published, by reason: `garbage`, `truncated`, `malformed`, `too_large`, `unsupported`, `damaged`
    /// ([if checked](crate::StreamSpec::check)), and of multipart sources
    /// `framing`, which is no loss, and `not_jpeg`. All reasons are there from the start.
    pub discarded: BTreeMap<&'static str, Tally>,
    /// How many frames were repaired before they were published, by repair: `huffman_tables`, `embedded_markers`, `eoi`
    /// ([`mjpeg_codec::repair`]). All are there from the start.
    pub repaired: BTreeMap<&'static str, u64>,
    /// How many want frames now.
    pub viewers: usize,
    /// Connections to the camera since the start, not counting the first.
    pub reconnects: u64,
    /// The last error, kept after recovery.
    pub last_error: Option<LastError>,
    /// Panics while reading the camera, each a defect of ours, survived by a restart.
    pub panics: u64,
}

/// One source of a stream.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SourceInfo {
    /// As people write it; never with a password.
    pub source: String,
    /// Whether the stream's frames come from it.
    pub is_active: bool,
    /// How it is doing; [`State::Idle`] where there is no need of it.
    pub state: State,
    /// Since when it is in that state.
    pub since: SystemTime,
    /// Whom its connection leads to, or led to last.
    pub peer: Option<String>,
}

/// How a stream's camera is doing. Its [`Display`](fmt::Display) tells the reason too.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// The first connection attempt is under way.
    Connecting,
    /// Connected.
    Online,
    /// Connected, but no frame has come for so long: ten of its usual intervals, or 2 s.
    Stalled {
        /// How long.
        after: Duration,
    },
    /// Not connected; the next attempt begins by itself.
    Offline {
        /// Why, for people.
        error: Arc<str>,
        /// When the next attempt begins, about; if that has passed, it is under way.
        retry_at: SystemTime,
    },
    /// Not connected because nobody wants frames, and the stream is [on demand](crate::StreamSpec::on_demand).
    Idle,
    /// Disconnected by [`Manager::pause`](crate::Manager::pause).
    Paused,
    /// The source had an end and reached it.
    Ended,
    /// The task that reads the camera panicked, a defect of ours; it begins anew by itself.
    Failed {
        /// What it said.
        error: Arc<str>,
        /// When, about.
        retry_at: SystemTime,
    },
}

impl State {
    /// A stable word for machines: `connecting`, `online`, `stalled`, `offline`, `idle`, `paused`, `ended`, `failed`.
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

    /// Whether two tell the same; when the next attempt begins makes no difference.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Offline { error: a, .. }, Self::Offline { error: b, .. })
            | (Self::Failed { error: a, .. }, Self::Failed { error: b, .. }) => a == b,
            (a, b) => a == b,
        }
    }
}

impl fmt::Display for State {
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

/// How much was discarded for one reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// How many times: frames, or for `garbage` pieces.
    pub count: u64,
    /// How many bytes.
    pub bytes: u64,
}

/// An error that a stream has met.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LastError {
    /// What happened, for people.
    pub message: String,
    /// When.
    pub at: SystemTime,
}
