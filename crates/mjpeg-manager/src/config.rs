//! Limits and times of a manager and the streams it runs.

use std::time::Duration;

use mjpeg_ingest::IngestConfig;

/// Limits and times of a [`Manager`](crate::Manager), and of all its streams.
#[derive(Clone, Debug)]
pub struct ManagerConfig {
    pub(crate) start_timeout: Duration,
    pub(crate) call_timeout: Duration,
    pub(crate) shutdown_grace: Duration,
    pub(crate) max_streams: usize,
    #[cfg(feature = "listener")]
    pub(crate) max_viewers: usize,
    pub(crate) ingest: IngestConfig,
    #[cfg(feature = "listener")]
    pub(crate) http: mjpeg_http::HttpConfig,
}

impl Default for ManagerConfig {
    fn default() -> Self {
        Self {
            start_timeout: Duration::from_secs(8),
            call_timeout: Duration::from_secs(15),
            shutdown_grace: Duration::from_secs(5),
            max_streams: 1000,
            #[cfg(feature = "listener")]
            max_viewers: 20_000,
            ingest: IngestConfig::default(),
            #[cfg(feature = "listener")]
            http: mjpeg_http::HttpConfig::default(),
        }
    }
}

impl ManagerConfig {
    /// Sets how long a whole start may take. Default 8 s. The connection attempt within has its own limit,
    /// [`IngestConfig::connect_timeout`] (5 s).
    pub fn with_start_timeout(mut self, limit: Duration) -> Self {
        self.start_timeout = limit.min(LONGEST);
        self
    }

    /// Sets how long a start or a stop may take in all, whatever it waits for. Default 15 s. Keep it above the
    /// [start timeout](Self::start_timeout) and the [grace](Self::shutdown_grace), whose errors and reports say more.
    pub fn with_call_timeout(mut self, limit: Duration) -> Self {
        self.call_timeout = limit.min(LONGEST);
        self
    }

    /// Sets how long viewers' responses may take to end when a stream stops, before they are cut. Default 5 s.
    pub fn with_shutdown_grace(mut self, limit: Duration) -> Self {
        self.shutdown_grace = limit.min(LONGEST);
        self
    }

    /// Sets how many streams there may be, those being started and stopped included. Default 1000.
    ///
    /// One more is [`Error::TooManyStreams`](crate::Error::TooManyStreams). Counted in [`ManagerStats::streams_refused`](crate::ManagerStats::streams_refused).
    pub fn with_max_streams(mut self, most: usize) -> Self {
        self.max_streams = most;
        self
    }

    /// Sets how many viewers all streams may have together. Default 20,000; 0 refuses all.
    ///
    /// The default protects the machine: so many take some 60 MiB of this process, and more of the kernel's memory. How many one stream and one address may
    /// have is set in [`http`](Self::http): [`HttpConfig::max_viewers`](mjpeg_http::HttpConfig::max_viewers), where it is also told who is refused.
    ///
    /// Counted in [`ManagerStats::viewers_refused`](crate::ManagerStats::viewers_refused).
    #[cfg(feature = "listener")]
    pub fn with_max_viewers(mut self, most: usize) -> Self {
        self.max_viewers = most;
        self
    }

    /// Sets how cameras are read.
    pub fn with_ingest(mut self, config: IngestConfig) -> Self {
        self.ingest = config;
        self
    }

    /// Sets how streams are served. Its grace is replaced by [`shutdown_grace`](Self::shutdown_grace), its limit over several streams by
    /// [`max_viewers`](Self::max_viewers).
    #[cfg(feature = "listener")]
    pub fn with_http(mut self, config: mjpeg_http::HttpConfig) -> Self {
        self.http = config;
        self
    }

    /// How long a whole start may take.
    pub fn start_timeout(&self) -> Duration {
        self.start_timeout
    }

    /// How long a start or a stop may take in all.
    pub fn call_timeout(&self) -> Duration {
        self.call_timeout
    }

    /// How long viewers' responses may take to end when a stream stops.
    pub fn shutdown_grace(&self) -> Duration {
        self.shutdown_grace
    }

    /// How many streams there may be.
    pub fn max_streams(&self) -> usize {
        self.max_streams
    }

    /// How many viewers all streams may have together.
    #[cfg(feature = "listener")]
    pub fn max_viewers(&self) -> usize {
        self.max_viewers
    }

    /// How cameras are read.
    pub fn ingest(&self) -> &IngestConfig {
        &self.ingest
    }

    /// How streams are served.
    #[cfg(feature = "listener")]
    pub fn http(&self) -> &mjpeg_http::HttpConfig {
        &self.http
    }
}

/// As good as no limit, and far from where adding it to a time would overflow.
pub(crate) const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
