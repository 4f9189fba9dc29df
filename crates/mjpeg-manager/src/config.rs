//! Limits and times of a manager and the streams it runs.

use std::time::Duration;

use mjpeg_ingest::IngestConfig;

/// Limits and times of a [`Manager`](crate::Manager), and of all its streams.
///
/// How streams are served is set on the outlets: see `HttpOutlet` (feature `listener`).
#[derive(Clone, Debug, PartialEq)]
pub struct ManagerConfig {
    start_timeout: Duration,
    call_timeout: Duration,
    shutdown_grace: Duration,
    max_streams: usize,
    max_replay_bytes: usize,
    ingest: IngestConfig,
}

impl Default for ManagerConfig {
    fn default() -> Self {
        Self {
            start_timeout: Duration::from_secs(8),
            call_timeout: Duration::from_secs(15),
            shutdown_grace: Duration::from_secs(5),
            max_streams: 1000,
            max_replay_bytes: 512 << 20,
            ingest: IngestConfig::default(),
        }
    }
}

impl ManagerConfig {
    /// Sets how long a whole start may take. Default 8 s. The connection attempt within has its
    /// own limit, [`IngestConfig::with_connect_timeout`] (5 s). A time above a hundred years means
    /// no limit.
    pub fn with_start_timeout(mut self, limit: Duration) -> Self {
        self.start_timeout = limit.min(LONGEST);
        self
    }

    /// Sets how long a call that starts, changes or stops a stream may take in all. Default 15 s. A
    /// time above a hundred years means no limit.
    ///
    /// Keep it above the [start timeout](Self::with_start_timeout) and the
    /// [grace](Self::with_shutdown_grace), whose errors and reports say more.
    pub fn with_call_timeout(mut self, limit: Duration) -> Self {
        self.call_timeout = limit.min(LONGEST);
        self
    }

    /// Sets how long viewers' responses may take to end when a stream stops, before they are cut.
    /// Default 5 s. A time above a hundred years means no limit.
    pub fn with_shutdown_grace(mut self, limit: Duration) -> Self {
        self.shutdown_grace = limit.min(LONGEST);
        self
    }

    /// Sets how many streams there may be, including those being started and stopped. Default
    /// 1000; 0 refuses all.
    ///
    /// One more is [`Error::TooManyStreams`](crate::Error::TooManyStreams), counted in
    /// [`ManagerStats::streams_refused`](crate::ManagerStats::streams_refused).
    pub fn with_max_streams(mut self, most: usize) -> Self {
        self.max_streams = most;
        self
    }

    /// Sets how many bytes of memory the frames that streams keep for replay may take in all.
    /// Default 512 MiB. When more would be needed, the stream that keeps most loses its oldest
    /// frames ([`ReplayInfo::evicted`](crate::ReplayInfo::evicted)).
    #[cfg(feature = "replay")]
    pub fn with_max_replay_bytes(mut self, bytes: usize) -> Self {
        self.max_replay_bytes = bytes;
        self
    }

    /// Sets how cameras are read.
    pub fn with_ingest(mut self, config: IngestConfig) -> Self {
        self.ingest = config;
        self
    }

    /// Returns how long a whole start may take.
    pub fn start_timeout(&self) -> Duration {
        self.start_timeout
    }

    /// Returns how long a call that starts, changes or stops a stream may take in all.
    pub fn call_timeout(&self) -> Duration {
        self.call_timeout
    }

    /// Returns how long viewers' responses may take to end when a stream stops.
    pub fn shutdown_grace(&self) -> Duration {
        self.shutdown_grace
    }

    /// Returns how many streams there may be.
    pub fn max_streams(&self) -> usize {
        self.max_streams
    }

    /// Returns how many bytes of memory the frames that streams keep for replay may take in all.
    pub fn max_replay_bytes(&self) -> usize {
        self.max_replay_bytes
    }

    /// Returns how cameras are read.
    pub fn ingest(&self) -> &IngestConfig {
        &self.ingest
    }
}

/// As good as no limit, and far from where adding it to a time would overflow.
pub(crate) const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
