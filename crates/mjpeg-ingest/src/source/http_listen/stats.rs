//! What is counted over all addresses at which pictures are taken.

use std::sync::atomic::{AtomicU64, Ordering};

/// What was counted at all `http-listen://` addresses of this process, from
/// [`PushStats::read`]. (Feature `http-listen`.)
///
/// Each limit of such an address has a counter here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PushStats {
    /// Requests whose pictures were taken.
    pub taken: u64,
    /// Requests that were refused: with a status of 4xx or 5xx.
    pub refused: u64,
    /// Of these, the ones with no token, or a wrong one.
    pub wrong_tokens: u64,
    /// Requests whose head was longer than 16 KiB (`max_head_bytes`).
    pub heads_too_large: u64,
    /// Connections on which no request came within 10 s, or was not whole 10 s after it had begun
    /// (`head_timeout`).
    pub head_timeouts: u64,
    /// Connections on which no further request came for 5 minutes (`idle_timeout`).
    pub idle_timeouts: u64,
    /// Connections that were closed, or not accepted, because there were 1024 at the address
    /// (`max_connections`) or 512 from one network address (`max_connections_per_address`).
    pub connections_refused: u64,
}

impl PushStats {
    /// Reads the counters of this process.
    pub fn read() -> Self {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Self {
            taken: read(&COUNTERS.taken),
            refused: read(&COUNTERS.refused),
            wrong_tokens: read(&COUNTERS.wrong_tokens),
            heads_too_large: read(&COUNTERS.heads_too_large),
            head_timeouts: read(&COUNTERS.head_timeouts),
            idle_timeouts: read(&COUNTERS.idle_timeouts),
            connections_refused: read(&COUNTERS.connections_refused),
        }
    }
}

/// The counters behind [`PushStats`].
pub(super) struct PushCounters {
    pub(super) taken: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) wrong_tokens: AtomicU64,
    pub(super) heads_too_large: AtomicU64,
    pub(super) head_timeouts: AtomicU64,
    pub(super) idle_timeouts: AtomicU64,
    pub(super) connections_refused: AtomicU64,
}

/// Adds one.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

pub(super) static COUNTERS: PushCounters = PushCounters {
    taken: AtomicU64::new(0),
    refused: AtomicU64::new(0),
    wrong_tokens: AtomicU64::new(0),
    heads_too_large: AtomicU64::new(0),
    head_timeouts: AtomicU64::new(0),
    idle_timeouts: AtomicU64::new(0),
    connections_refused: AtomicU64::new(0),
};
