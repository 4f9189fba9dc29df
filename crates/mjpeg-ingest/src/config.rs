//! Limits and times of an ingest.

use std::time::Duration;

use mjpeg_codec::SplitterConfig;

use crate::{
    backoff::Backoff, dial_policy::DialPolicy, duration::LONGEST, observed::observer::Observer,
};

/// Limits and times of an [`Ingest`](crate::Ingest).
///
/// A duration beyond 100 years counts as 100 years: it is as good as no limit.
#[derive(Clone, Debug, PartialEq)]
pub struct IngestConfig {
    pub(crate) connect_timeout: Duration,
    pub(crate) answer_timeout: Duration,
    pub(crate) stall_limit: Duration,
    pub(crate) login_retry: Duration,
    pub(crate) connect_interval: Duration,
    pub(crate) stable_after: Duration,
    pub(crate) failover_after: Duration,
    pub(crate) return_after: Duration,
    pub(crate) backoff: Backoff,
    pub(crate) splitter: SplitterConfig,
    pub(crate) seed: Option<u64>,
    /// Set by the source.
    pub(crate) dial_policy: DialPolicy,
    /// Set by the source.
    pub(crate) observer: Option<Observer>,
}

impl Default for IngestConfig {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            answer_timeout: Duration::from_secs(30),
            stall_limit: Duration::from_secs(10),
            login_retry: Duration::from_secs(5 * 60),
            connect_interval: Duration::from_secs(1),
            stable_after: Duration::from_secs(10),
            failover_after: Duration::from_secs(5),
            return_after: Duration::from_secs(10),
            backoff: Backoff::default(),
            splitter: SplitterConfig::default(),
            seed: None,
            dial_policy: DialPolicy::default(),
            observer: None,
        }
    }
}

impl IngestConfig {
    /// Limits how long a connection may take to be made, including name look-up, all addresses and
    /// the TLS handshake. Default 5 s. A source may have [another](crate::Limits).
    ///
    /// [Passive](crate::Connect::is_passive) sources wait without a limit.
    pub fn with_connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit.min(LONGEST);
        self
    }

    /// Limits how long a camera that speaks HTTP may take from the request to the head of its
    /// answer. Default 30 s: some need 20 s for a picture. A source may have
    /// [another](crate::Limits).
    pub fn with_answer_timeout(mut self, limit: Duration) -> Self {
        self.answer_timeout = limit.min(LONGEST);
        self
    }

    /// Sets how long after a refused password the next login is tried. Default 5 minutes: many
    /// cameras lock an account for half an hour after a few wrong passwords. A source may have
    /// [another](crate::Limits).
    ///
    /// [`Control::retry_now`](crate::Control::retry_now) and a changed source try at once.
    pub fn with_login_retry(mut self, time: Duration) -> Self {
        self.login_retry = time.min(LONGEST);
        self
    }

    /// Sets how far apart the first connections of two ingests of one source are at least. Default
    /// 1 s.
    ///
    /// So a stream that is read only while somebody watches does not connect to its camera hundreds
    /// of times per second, once per snapshot. The first connection is not delayed. Within one
    /// ingest, the [backoff](Self::with_backoff) rules.
    pub fn with_connect_interval(mut self, time: Duration) -> Self {
        self.connect_interval = time.min(LONGEST);
        self
    }

    /// Sets how long a connected camera may send no byte before the connection is given up. Default
    /// 10 s. A camera that sends bytes, but no frame among them, has three times that. A source may
    /// have [another](crate::Limits).
    ///
    /// A camera that sends images more rarely needs a longer limit. A source that
    /// [declares its interval](crate::Connection::with_interval) has three intervals at least. A
    /// camera that is polled is given up when three polls in a row have brought no picture and none
    /// has come for this long, or when none has come for the
    /// [answer timeout](Self::with_answer_timeout); both are at least three intervals.
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

    /// How long a connection may take to be made.
    pub fn connect_timeout(&self) -> Duration {
        self.connect_timeout
    }

    /// How long a camera that speaks HTTP may take to answer.
    pub fn answer_timeout(&self) -> Duration {
        self.answer_timeout
    }

    /// How long after a refused password the next login is tried.
    pub fn login_retry(&self) -> Duration {
        self.login_retry
    }

    /// How far apart the first connections of two ingests of one source are at least.
    pub fn connect_interval(&self) -> Duration {
        self.connect_interval
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

    /// Which addresses a connection attempt may reach: what
    /// [`Source::with_dial_policy`](crate::Source::with_dial_policy) sets. A [`Connect`] of your
    /// own that dials must [check](DialPolicy::check) each address with it.
    ///
    /// [`Connect`]: crate::Connect
    pub fn dial_policy(&self) -> &DialPolicy {
        &self.dial_policy
    }
}
