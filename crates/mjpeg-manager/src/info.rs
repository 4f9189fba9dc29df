//! What runs.

use std::{collections::BTreeMap, net::SocketAddr, time::SystemTime};

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
    /// Its source, as people write it; never with a password.
    pub source: String,
    /// How it was started.
    pub mode: StartMode,
    /// Where its viewers connect, with the real port.
    pub listen: Option<SocketAddr>,
    /// Whom the camera's connection leads to, or led to last.
    pub peer: Option<String>,
    /// How the camera is doing.
    pub state: State,
    /// Since when it is in that state.
    pub since: SystemTime,
    /// Width and height of the latest frame, in pixels.
    pub size: Option<(u16, u16)>,
    /// Frames per second over the last seconds; 0 when none came lately.
    pub fps: f64,
    /// Frames published since the start.
    pub frames: u64,
    /// Bytes of those frames, as published.
    pub bytes: u64,
    /// What was not published, by reason: `garbage`, `truncated`, `malformed`, `too_large`, `unsupported`, and of multipart sources
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

/// How a stream's camera is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// A connection attempt is under way.
    Connecting,
    /// Connected.
    Online,
    /// Not connected; the next attempt begins by itself.
    Offline {
        /// When, about.
        retry_at: SystemTime,
    },
    /// Disconnected by [`Manager::pause`](crate::Manager::pause).
    Paused,
    /// The source had an end and reached it.
    Ended,
    /// The task that reads the camera panicked, a defect of ours; it begins anew by itself.
    Failed {
        /// When, about.
        retry_at: SystemTime,
    },
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
