//! Limits and times of an ingest.

use std::time::Duration;

use mjpeg_codec::SplitterConfig;

use crate::{backoff::Backoff, duration::LONGEST};

/// Limits and times of an [`Ingest`](crate::Ingest).
///
/// A duration beyond 100 years counts as 100 years: it is as good as no limit.
#[derive(Clone, Debug, PartialEq)]
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
    /// Limits a connection attempt, including name look-up and all addresses. Default 5 s.
    ///
    /// [Passive](crate::Connect::is_passive) sources wait without a limit.
    pub fn with_connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit.min(LONGEST);
        self
    }

    /// Sets how long a connected camera may send no byte before the connection is given up. Default
    /// 10 s. A camera that sends bytes, but no frame among them, has three times that.
    ///
    /// A camera that sends images more rarely needs a longer limit. A source that
    /// [declares its interval](crate::Connection::with_interval) has three intervals at least.
    pub fn with_stall_limit(mut self, limit: Duration) -> Self {
        self.stall_limit = limit.min(LONGEST);
        self
    }

    /// Sets how long a camera must have been online, with frames, before the backoff starts over.
    /// Default 10 s.
    ///
    /// So a camera that sends one frame and hangs up is not retried in a busy loop.
    pub fn with_stable_after(mut self, time: Duration) -> Self {
        self.stable_after = time.min(LONGEST);
        self
    }

    /// Sets how long a [`Failover`](crate::Failover) waits for frames before it connects the next
    /// source. Default 5 s.
    ///
    /// The time starts when a camera [stalls](crate::Event::Stalled) or goes offline. A source that
    /// never had a frame gets no time once an attempt has failed.
    pub fn with_failover_after(mut self, time: Duration) -> Self {
        self.failover_after = time.min(LONGEST);
        self
    }

    /// Sets how long a better source must have had frames without a break before a
    /// [`Failover`](crate::Failover) returns to it. Default 10 s.
    ///
    /// So an unstable source does not make the stream switch back and forth.
    pub fn with_return_after(mut self, time: Duration) -> Self {
        self.return_after = time.min(LONGEST);
        self
    }

    /// Sets the delays between connection attempts. Default 250 ms to 30 s.
    pub fn with_backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Sets the limits of the frame parser. Default: frames of 16 MiB at most.
    pub fn with_splitter(mut self, config: SplitterConfig) -> Self {
        self.splitter = config;
        self
    }

    /// Fixes the jitter of the backoff, for tests. Default: each ingest draws its own seed.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// How long a connection attempt may take.
    pub fn connect_timeout(&self) -> Duration {
        self.connect_timeout
    }

    /// How long a connected camera may send no byte.
    pub fn stall_limit(&self) -> Duration {
        self.stall_limit
    }

    /// How long a camera must have been online before the backoff starts over.
    pub fn stable_after(&self) -> Duration {
        self.stable_after
    }

    /// How long a [`Failover`](crate::Failover) waits for frames before it connects the next
    /// source.
    pub fn failover_after(&self) -> Duration {
        self.failover_after
    }

    /// How long a better source must have had frames before a [`Failover`](crate::Failover)
    /// returns to it.
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
