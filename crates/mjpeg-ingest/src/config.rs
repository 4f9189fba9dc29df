//! Limits and times of one ingest.

use std::time::Duration;

use mjpeg_codec::SplitterConfig;

use crate::Backoff;

/// Limits and times of an [`Ingest`](crate::Ingest).
#[derive(Clone, Debug)]
pub struct IngestConfig {
    pub(crate) connect_timeout: Duration,
    pub(crate) stall_limit: Duration,
    pub(crate) stable_after: Duration,
    pub(crate) failover_after: Duration,
    pub(crate) return_after: Duration,
    pub(crate) backoff: Backoff,
    pub(crate) splitter: SplitterConfig,
    pub(crate) seed: Option<u64>,
}

impl Default for IngestConfig {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            stall_limit: Duration::from_secs(10),
            stable_after: Duration::from_secs(10),
            failover_after: Duration::from_secs(5),
            return_after: Duration::from_secs(10),
            backoff: Backoff::default(),
            splitter: SplitterConfig::default(),
            seed: None,
        }
    }
}

impl IngestConfig {
    /// Sets how long one whole connection attempt may take, over name look-up and all addresses. Default 5 s.
    pub fn with_connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit.min(LONGEST);
        self
    }

    /// Sets how long a connected camera may send no byte before it is given up. Default 10 s. One that sends bytes, but no frame among them, is
    /// given up after three times that.
    ///
    /// A camera that sends pictures more rarely than this needs a longer limit. A source that [tells its interval](crate::Connection::interval)
    /// has three intervals at least.
    pub fn with_stall_limit(mut self, limit: Duration) -> Self {
        self.stall_limit = limit.min(LONGEST);
        self
    }

    /// Sets how long a camera must have been online, with frames, for the next backoff to start from its beginning. Default
    /// 10 s.
    ///
    /// So a camera that sends one frame and hangs up does not make the relay spin.
    pub fn with_stable_after(mut self, time: Duration) -> Self {
        self.stable_after = time.min(LONGEST);
        self
    }

    /// Sets how long a [`Failover`](crate::Failover) does without frames before it connects the next source. Default 5 s.
    ///
    /// That counts from when a camera [stalled](crate::Event::Stalled) or went offline. A source that never had a frame gets no such time once an attempt has failed.
    pub fn with_failover_after(mut self, time: Duration) -> Self {
        self.failover_after = time.min(LONGEST);
        self
    }

    /// Sets how long a better source must have had frames without a break before a [`Failover`](crate::Failover) goes back to it. Default 10 s.
    ///
    /// So one that comes and goes does not take the stream with it.
    pub fn with_return_after(mut self, time: Duration) -> Self {
        self.return_after = time.min(LONGEST);
        self
    }

    /// Sets the delays between connection attempts. Default 250 ms to 30 s.
    pub fn with_backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Sets the limits of the frame parser.
    pub fn with_splitter(mut self, config: SplitterConfig) -> Self {
        self.splitter = config;
        self
    }

    /// Fixes the jitter of the backoff, for tests. By default each ingest draws its own seed.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// How long one whole connection attempt may take.
    pub fn connect_timeout(&self) -> Duration {
        self.connect_timeout
    }

    /// How long a connected camera may send no byte.
    pub fn stall_limit(&self) -> Duration {
        self.stall_limit
    }

    /// How long a camera must have been online for the backoff to start over.
    pub fn stable_after(&self) -> Duration {
        self.stable_after
    }

    /// How long a [`Failover`](crate::Failover) waits for frames before it connects the next
    /// source.
    pub fn failover_after(&self) -> Duration {
        self.failover_after
    }

    /// How long a better source must have had frames before a
    /// [`Failover`](crate::Failover) returns to it.
    pub fn return_after(&self) -> Duration {
        self.return_after
    }

    /// The delays between connection attempts.
    pub fn backoff(&self) -> Backoff {
        self.backoff
    }

    /// The limits of the frame parser.
    pub fn splitter(&self) -> &SplitterConfig {
        &self.splitter
    }

    /// The fixed seed of the jitter, if one was set.
    pub fn seed(&self) -> Option<u64> {
        self.seed
    }
}

/// As good as no limit, and far from where adding it to a time would overflow.
pub(crate) const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
