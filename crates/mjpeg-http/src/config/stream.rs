//! Limits and times of one stream.

use std::time::Duration;

use crate::{
    config::{InvalidConfig, LONGEST},
    cors::CorsPolicy,
    limit::ViewerLimit,
};

#[cfg(feature = "replay")]
mod replay;
mod snapshots;

/// Limits and times of a [`StreamService`](crate::StreamService), whatever listeners serve it.
///
/// [`StreamService::configure`](crate::StreamService::configure) replaces it while viewers watch,
/// and documents which settings then apply to them. Durations above 100 years count as 100 years.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamConfig {
    max_viewers: usize,
    max_viewers_per_address: Option<usize>,
    viewer_limit: Option<ViewerLimit>,
    keepalive: Duration,
    write_stall: Duration,
    max_frame_send_time: Duration,
    max_inflight_bytes: usize,
    max_viewer_input_bytes: usize,
    snapshot_wait: Duration,
    snapshot_connect_wait: Duration,
    snapshot_max_age: Option<Duration>,
    snapshot_fresh: bool,
    max_snapshots: usize,
    max_listed_viewers: usize,
    gate_timeout: Duration,
    max_fps: Option<f64>,
    max_kbps: Option<f64>,
    max_duration: Option<Duration>,
    webkit_fetch_mixed: bool,
    cors: CorsPolicy,
    #[cfg(feature = "replay")]
    max_replays: usize,
    #[cfg(feature = "replay")]
    replay_limit: Option<crate::limit::replays::ReplayLimit>,
}

impl Default for StreamConfig {
    fn default() -> Self {
        Self {
            max_viewers: 10_000,
            max_viewers_per_address: None,
            viewer_limit: None,
            keepalive: Duration::from_secs(5),
            write_stall: Duration::from_secs(30),
            max_frame_send_time: Duration::from_secs(30),
            max_inflight_bytes: 64 << 20,
            max_viewer_input_bytes: 64 << 10,
            snapshot_wait: Duration::from_millis(800),
            snapshot_connect_wait: Duration::from_secs(5),
            snapshot_max_age: None,
            snapshot_fresh: false,
            max_snapshots: 1000,
            max_listed_viewers: 100,
            gate_timeout: Duration::from_secs(10),
            max_fps: None,
            max_kbps: None,
            max_duration: None,
            webkit_fetch_mixed: false,
            cors: CorsPolicy::default(),
            #[cfg(feature = "replay")]
            max_replays: 4,
            #[cfg(feature = "replay")]
            replay_limit: None,
        }
    }
}

impl StreamConfig {
    /// Sets how many viewers the stream may have. Default 10,000; 0 refuses all.
    ///
    /// The default protects the machine rather than rationing viewers: that many take about 30 MiB
    /// of this process, a file descriptor each, and kernel memory for the bytes on their way. One
    /// viewer more is answered `503` with the reason, or [replaces](crate#when-the-stream-is-full)
    /// another.
    ///
    /// Counted in
    /// [`StreamStats::viewers_refused_stream`](crate::StreamStats::viewers_refused_stream).
    pub fn with_max_viewers(mut self, most: usize) -> Self {
        self.max_viewers = most;
        self
    }

    /// Sets how many viewers of the stream may come from one address (IPv6: from one /64). Default:
    /// no limit.
    ///
    /// It does not apply to loopback, to a [proxy](crate::Peer::with_proxy), nor where the address
    /// is unknown.
    ///
    /// Counted in
    /// [`StreamStats::viewers_refused_address`](crate::StreamStats::viewers_refused_address).
    pub fn with_max_viewers_per_address(mut self, most: impl Into<Option<usize>>) -> Self {
        self.max_viewers_per_address = most.into();
        self
    }

    /// Sets a limit that several streams share, beside that of each: on viewers, and on snapshots
    /// on their way. Default: none.
    ///
    /// Counted in [`StreamStats::viewers_refused_total`](crate::StreamStats::viewers_refused_total)
    /// and [`snapshots_refused_total`](crate::StreamStats::snapshots_refused_total) of each stream,
    /// and over all in [`ViewerLimit::refused`] and [`ViewerLimit::snapshots_refused`].
    pub fn with_viewer_limit(mut self, limit: impl Into<Option<ViewerLimit>>) -> Self {
        self.viewer_limit = limit.into();
        self
    }

    /// Sets how long a viewer waits for a frame before the last one is sent again. Default 5 s.
    ///
    /// Known readers give up after 10 s of silence (Mainsail, Home Assistant), so stay below that.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig::Keepalive`] below 100 ms: repeats that frequent would be a load of their
    /// own.
    pub fn with_keepalive(mut self, interval: Duration) -> Result<Self, InvalidConfig> {
        if interval < SHORTEST_KEEPALIVE {
            return Err(InvalidConfig::Keepalive {
                least: SHORTEST_KEEPALIVE,
            });
        }
        self.keepalive = interval.min(LONGEST);
        Ok(self)
    }

    /// Sets how long a viewer may take no byte, while bytes are waiting for it, before its
    /// connection is closed. Default 30 s, but 5 s for one that has closed its side. It limits
    /// snapshots and other answers alike.
    ///
    /// Counted in [`StreamStats::write_stalls`](crate::StreamStats::write_stalls).
    pub fn with_write_stall(mut self, limit: Duration) -> Self {
        self.write_stall = limit.min(LONGEST);
        self
    }

    /// Sets how long one frame may take to be given to the kernel for one viewer, before its
    /// connection is closed. Default 30 s.
    ///
    /// A link that needs longer is useless for live pictures, and its viewer holds a frame in
    /// memory meanwhile. It limits snapshots and other answers alike. Applies to what goes through
    /// a [`Listener`](crate::Listener).
    ///
    /// Counted in [`StreamStats::send_timeouts`](crate::StreamStats::send_timeouts).
    pub fn with_max_frame_send_time(mut self, limit: Duration) -> Self {
        self.max_frame_send_time = limit.min(LONGEST);
        self
    }

    /// Sets how many bytes of frames slow viewers and slow clients of snapshots may hold together,
    /// besides the newest frame. Default 64 MiB.
    ///
    /// Above it, all that hold the oldest frame are cut. A frame counts with its rendered
    /// parts or its small picture; on Linux, large ones take twice that while they are being sent.
    /// Texts of `/state` may take as much besides. Applies to viewers that came through a
    /// [`Listener`](crate::Listener).
    ///
    /// Counted in [`StreamStats::in_flight_cuts`](crate::StreamStats::in_flight_cuts).
    pub fn with_max_inflight_bytes(mut self, limit: usize) -> Self {
        self.max_inflight_bytes = limit;
        self
    }

    /// Sets how many bytes a viewer may send behind its request at once, and in each minute.
    /// Default 64 KiB. One that sends more is cut.
    ///
    /// Nothing that it sends is of any use; what there is, is read in pieces of 16 KiB a second and
    /// dropped. Applies to viewers that came through a [`Listener`](crate::Listener).
    ///
    /// Counted in [`StreamStats::viewer_input_cuts`](crate::StreamStats::viewer_input_cuts).
    pub fn with_max_viewer_input_bytes(mut self, limit: usize) -> Self {
        self.max_viewer_input_bytes = limit;
        self
    }

    /// Sets how long a [gate](crate::Gate) may take to decide, before the request is refused with
    /// `503`. Default 10 s.
    ///
    /// Counted in [`StreamStats::gate_timeouts`](crate::StreamStats::gate_timeouts).
    pub fn with_gate_timeout(mut self, limit: Duration) -> Self {
        self.gate_timeout = limit.min(LONGEST);
        self
    }

    /// Sets the most frames per second that any viewer gets; with `?fps=` it may ask for fewer.
    /// Default: as they come.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig::MaxFps`] unless it is a finite number above 0.
    pub fn with_max_fps(mut self, most: impl Into<Option<f64>>) -> Result<Self, InvalidConfig> {
        self.max_fps = positive(most.into()).ok_or(InvalidConfig::MaxFps)?;
        Ok(self)
    }

    /// Sets the most kilobits (thousands of bits) per second that any viewer gets, in whole frames;
    /// with `?kbps=` it may ask for less. Default: no limit.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig::MaxKbps`] unless it is a finite number above 0.
    pub fn with_max_kbps(mut self, most: impl Into<Option<f64>>) -> Result<Self, InvalidConfig> {
        self.max_kbps = positive(most.into()).ok_or(InvalidConfig::MaxKbps)?;
        Ok(self)
    }

    /// Sets how long any response may last; with `?max_duration=` a viewer may ask for less.
    /// Default: forever.
    ///
    /// Browsers do not reconnect by themselves, and WebKit blanks the picture.
    ///
    /// Counted in [`StreamStats::duration_ends`](crate::StreamStats::duration_ends).
    pub fn with_max_duration(mut self, most: impl Into<Option<Duration>>) -> Self {
        self.max_duration = most.into();
        self
    }

    /// Sets whether WebKit's `fetch` gets its stream as `multipart/mixed`, because it cannot read
    /// `multipart/x-mixed-replace` (measured in WebKitGTK 2.50). Default: off, as Safari itself was
    /// not measured.
    pub fn with_webkit_fetch_mixed(mut self, on: bool) -> Self {
        self.webkit_fetch_mixed = on;
        self
    }

    /// Sets which other origins' scripts may read the stream. Default: all.
    pub fn with_cors(mut self, policy: CorsPolicy) -> Self {
        self.cors = policy;
        self
    }

    /// How many viewers the stream may have.
    pub fn max_viewers(&self) -> usize {
        self.max_viewers
    }

    /// How many viewers of the stream may come from one address; `None` for no limit.
    pub fn max_viewers_per_address(&self) -> Option<usize> {
        self.max_viewers_per_address
    }

    /// The limit that several streams share, if there is one.
    pub fn viewer_limit(&self) -> Option<&ViewerLimit> {
        self.viewer_limit.as_ref()
    }

    /// How long a viewer waits for a frame before the last one is sent again.
    pub fn keepalive(&self) -> Duration {
        self.keepalive
    }

    /// How long a viewer may take no byte.
    pub fn write_stall(&self) -> Duration {
        self.write_stall
    }

    /// How long one frame may take to be given to the kernel for one viewer.
    pub fn max_frame_send_time(&self) -> Duration {
        self.max_frame_send_time
    }

    /// How many bytes of frames slow viewers may hold together.
    pub fn max_inflight_bytes(&self) -> usize {
        self.max_inflight_bytes
    }

    /// How many bytes a viewer may send behind its request at once, and in each minute.
    pub fn max_viewer_input_bytes(&self) -> usize {
        self.max_viewer_input_bytes
    }

    /// How long a gate may take to decide.
    pub fn gate_timeout(&self) -> Duration {
        self.gate_timeout
    }

    /// The most frames per second that any viewer gets; `None` for no limit.
    pub fn max_fps(&self) -> Option<f64> {
        self.max_fps
    }

    /// The most kilobits per second that any viewer gets; `None` for no limit.
    pub fn max_kbps(&self) -> Option<f64> {
        self.max_kbps
    }

    /// How long any response may last; `None` for forever.
    pub fn max_duration(&self) -> Option<Duration> {
        self.max_duration
    }

    /// Whether WebKit's `fetch` gets its stream as `multipart/mixed`.
    pub fn webkit_fetch_mixed(&self) -> bool {
        self.webkit_fetch_mixed
    }

    /// Which other origins' scripts may read the stream.
    pub fn cors(&self) -> &CorsPolicy {
        &self.cors
    }
}

/// Checks a limit. The inner `None` means no limit, the outer one an invalid number.
fn positive(limit: Option<f64>) -> Option<Option<f64>> {
    let is_bad = |&limit: &f64| !(limit.is_finite() && limit > 0.0);
    (!limit.as_ref().is_some_and(is_bad)).then_some(limit)
}

const SHORTEST_KEEPALIVE: Duration = Duration::from_millis(100);
