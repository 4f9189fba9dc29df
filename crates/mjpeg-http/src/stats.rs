//! What the HTTP side counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// A reading of the counters of a [`StreamService`](crate::StreamService) and its listener. All but the first two only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Connections open now.
    pub connections: u64,
    /// Streams being sent now.
    pub viewers: u64,
    /// Connections accepted.
    pub accepted: u64,
    /// Viewers refused because the stream had [as many as it may](crate::HttpConfig::max_viewers).
    pub viewers_refused_stream: u64,
    /// Viewers refused because all streams together had [as many as they may](crate::HttpConfig::viewer_limit).
    pub viewers_refused_total: u64,
    /// Viewers refused because their address had [as many as it may](crate::HttpConfig::max_viewers_per_address).
    pub viewers_refused_address: u64,
    /// Viewers whose place was given to a newcomer from their address, because one of these limits was reached.
    pub viewers_replaced: u64,
    /// Parts handed to connections, repeats included.
    pub parts: u64,
    /// Parts that repeated the last frame because no new one came.
    pub keepalives: u64,
    /// Frames that viewers were not sent because they came faster than those took them.
    pub skipped: u64,
    /// Connections closed because the viewer took no byte for the [write stall limit](crate::HttpConfig::write_stall).
    pub write_stalls: u64,
    /// Connections closed because one frame took longer than the [limit](crate::HttpConfig::max_frame_send_time).
    pub send_timeouts: u64,
    /// Responses ended because the viewer lagged farther behind than it had asked for with `?max_lag=`.
    pub lag_cuts: u64,
    /// Connections closed because they held the oldest frame when frames in flight passed the [limit](crate::HttpConfig::max_inflight_bytes).
    pub in_flight_cuts: u64,
    /// Responses ended because they had lasted as long as they may.
    pub duration_ends: u64,
    /// Pictures asked for.
    pub snapshots: u64,
    /// Of these, answered `304` because the client had it.
    pub snapshots_not_modified: u64,
    /// Of these, answered `503` because none that was asked for came in time.
    pub snapshots_unavailable: u64,
    /// Connections closed because no whole request head came within the [header timeout](crate::HttpConfig::header_timeout).
    pub header_timeouts: u64,
    /// Connections closed because what came was not HTTP, or its head was too large.
    pub bad_requests: u64,
    /// Connections that could not be accepted, for want of file descriptors or memory.
    pub accept_errors: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) connections: Gauge,
    pub(crate) viewers: Gauge,
    pub(crate) accepted: Counter,
    pub(crate) viewers_refused_stream: Counter,
    pub(crate) viewers_refused_total: Counter,
    pub(crate) viewers_refused_address: Counter,
    pub(crate) viewers_replaced: Counter,
    pub(crate) parts: Counter,
    pub(crate) keepalives: Counter,
    pub(crate) skipped: Counter,
    pub(crate) write_stalls: Counter,
    pub(crate) send_timeouts: Counter,
    pub(crate) lag_cuts: Counter,
    pub(crate) in_flight_cuts: Counter,
    pub(crate) duration_ends: Counter,
    pub(crate) snapshots: Counter,
    pub(crate) snapshots_not_modified: Counter,
    pub(crate) snapshots_unavailable: Counter,
    pub(crate) header_timeouts: Counter,
    pub(crate) bad_requests: Counter,
    pub(crate) accept_errors: Counter,
}

impl Counters {
    pub(crate) fn read(&self) -> Stats {
        Stats {
            connections: self.connections.0.read(),
            viewers: self.viewers.0.read(),
            accepted: self.accepted.read(),
            viewers_refused_stream: self.viewers_refused_stream.read(),
            viewers_refused_total: self.viewers_refused_total.read(),
            viewers_refused_address: self.viewers_refused_address.read(),
            viewers_replaced: self.viewers_replaced.read(),
            parts: self.parts.read(),
            keepalives: self.keepalives.read(),
            skipped: self.skipped.read(),
            write_stalls: self.write_stalls.read(),
            send_timeouts: self.send_timeouts.read(),
            lag_cuts: self.lag_cuts.read(),
            in_flight_cuts: self.in_flight_cuts.read(),
            duration_ends: self.duration_ends.read(),
            snapshots: self.snapshots.read(),
            snapshots_not_modified: self.snapshots_not_modified.read(),
            snapshots_unavailable: self.snapshots_unavailable.read(),
            header_timeouts: self.header_timeouts.read(),
            bad_requests: self.bad_requests.read(),
            accept_errors: self.accept_errors.read(),
        }
    }
}

/// A number that only grows. Relaxed: it orders nothing, and readers take each by itself.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add_one(&self) {
        self.add(1);
    }

    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How many of something there are now.
#[derive(Debug, Default)]
pub(crate) struct Gauge(Counter);

impl Gauge {
    pub(crate) fn up(&self) {
        self.0.add_one();
    }

    pub(crate) fn now(&self) -> u64 {
        self.0.read()
    }

    pub(crate) fn down(&self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}
