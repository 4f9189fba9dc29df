//! What the manager reports about its streams.

use std::{collections::BTreeMap, net::SocketAddr, time::SystemTime};

use crate::{detect::kind::Detection, name::StreamName, spec::StartMode, state::StreamState};

/// What a manager counts over all its streams, from [`Manager::stats`](crate::Manager::stats).
///
/// Viewers are counted by outlets: see `HttpOutlet::total_viewers` (feature `listener`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ManagerStats {
    /// Streams now, including those being started and stopped.
    pub streams: usize,
    /// Starts refused because there were already
    /// [as many streams as allowed](crate::ManagerConfig::with_max_streams).
    pub streams_refused: u64,
}

/// A reading of one stream, from [`Manager::get`](crate::Manager::get) and
/// [`list`](crate::Manager::list).
///
/// With the feature `serde`, times are serialised as seconds since 1970.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct StreamInfo {
    /// Its name.
    pub name: StreamName,
    /// The source in use, for people; never with a password. Empty for a
    /// [fed](crate::StreamSpec::fed) stream.
    pub source: String,
    /// All its sources, the preferred one first. None for a fed stream.
    pub sources: Vec<SourceInfo>,
    /// Whether its camera is connected only while somebody wants frames.
    pub on_demand: bool,
    /// What its start did about a camera that cannot be reached.
    pub mode: StartMode,
    /// Where viewers connect, with the real port.
    pub listen: Option<SocketAddr>,
    /// The other end of the camera's connection, now or last.
    pub peer: Option<String>,
    /// How the camera in use is doing.
    pub state: StreamState,
    /// Since when it is in that state. An outage keeps its beginning, however many attempts have
    /// failed since.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::time"))]
    pub since: SystemTime,
    /// Since when the camera has sent the same frame again and again, if it has done so for the
    /// [set time](crate::StreamSpec::with_frozen_after).
    #[cfg_attr(
        feature = "serde",
        serde(serialize_with = "crate::json::optional_time")
    )]
    pub frozen_since: Option<SystemTime>,
    /// What its pictures [show](crate::StreamSpec::detect) now.
    pub detected: Vec<Detection>,
    /// How often its pictures began to show something, by what. All are present from the start.
    pub detections: BTreeMap<&'static str, u64>,
    /// How many pictures could not be looked at for that, because of their coding.
    pub undetectable: u64,
    /// Width and height of the latest frame, in pixels.
    pub size: Option<(u16, u16)>,
    /// Frames per second over the last 5 s, by count over time; 0 if none came.
    pub fps: f64,
    /// Frames published since the start.
    pub frames: u64,
    /// Bytes of those frames, as published.
    pub bytes: u64,
    /// Bytes received from the sources or the publisher: frames as they came, published or not, and
    /// everything else. The heads and chunks of HTTP and the like do not count.
    pub received_bytes: u64,
    /// What was not published, by reason: `garbage`, `truncated`, `malformed`, `too_large`,
    /// `flood`, `unsupported`, `damaged` ([if checked](crate::StreamSpec::with_check)), and for
    /// multipart sources `framing`, which is no loss, `not_jpeg` and `extra_image`. All reasons are
    /// present from the start.
    pub discarded: BTreeMap<&'static str, DiscardTotal>,
    /// How many frames were repaired before they were published, by repair: `huffman_tables`,
    /// `embedded_markers`, `eoi`, `orientation` ([`mjpeg_codec::repair`]). All are present from the
    /// start.
    pub repaired: BTreeMap<&'static str, u64>,
    /// How many viewers, subscribers and pending snapshots want frames now.
    pub viewers: usize,
    /// Connections to the camera since the start, not counting the first.
    pub reconnects: u64,
    /// How often the camera was lost or could not be had, over all its sources, by
    /// [`FailureReason`](mjpeg_ingest::FailureReason): the limit that was reached, or what went
    /// wrong. All reasons are present from the start.
    pub failures: BTreeMap<&'static str, u64>,
    /// The last error, kept after recovery.
    pub last_error: Option<LastError>,
    /// Panics while reading the camera. Each is a defect of this crate, survived by a restart.
    pub panics: u64,
    /// What it keeps [for replay](crate::ManagerConfig::max_replay_bytes); `None` if nothing.
    pub replay: Option<ReplayInfo>,
}

/// What a stream keeps of its frames, in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ReplayInfo {
    /// How many frames there are.
    pub frames: usize,
    /// How many bytes of memory they take, with those that are just being sent.
    pub bytes: usize,
    /// How many frames were kept so far.
    pub recorded: u64,
    /// How many frames were not kept, because this process was too busy or had no memory for them.
    pub lost: u64,
    /// How many frames were dropped before their time, because of a limit on memory.
    pub evicted: u64,
    /// How old the oldest frame is. With the feature `serde`, in seconds.
    #[cfg_attr(
        feature = "serde",
        serde(serialize_with = "crate::json::optional_seconds")
    )]
    pub span: Option<std::time::Duration>,
}

/// One source of a stream.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SourceInfo {
    /// The source, for people; never with a password.
    pub source: String,
    /// Whether the stream's frames come from it.
    pub is_active: bool,
    /// How it is doing; [`StreamState::Idle`] while it is not needed.
    pub state: StreamState,
    /// Since when it is in that state.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::time"))]
    pub since: SystemTime,
    /// The other end of its connection, now or last.
    pub peer: Option<String>,
    /// How often it was lost or could not be had, by reason, since it is a source of the stream.
    /// Only reasons that there were.
    pub failures: BTreeMap<&'static str, u64>,
}

/// How much was discarded for one reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct DiscardTotal {
    /// How many times: frames, or for `garbage` pieces.
    pub count: u64,
    /// How many bytes.
    pub bytes: u64,
}

/// An error that a stream has met.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct LastError {
    /// What happened, with its causes, for people.
    pub message: String,
    /// When.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::json::time"))]
    pub at: SystemTime,
}

/// What [`Manager::shutdown`](crate::Manager::shutdown) did.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ShutdownReport {
    /// How many streams were stopped.
    pub stopped: usize,
    /// Those of them that did not end by themselves in time.
    pub cut: Vec<CutStream>,
    /// Names whose start or stop, begun by another call, had not ended in time.
    pub unfinished: Vec<StreamName>,
}

/// A stream of which something had to be aborted.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct CutStream {
    /// The stream.
    pub name: StreamName,
    /// How many viewers' connections were cut.
    pub connections: usize,
    /// Whether even a task of the stream had not ended after that. It was left to end by itself.
    pub task: bool,
}
