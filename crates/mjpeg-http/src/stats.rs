//! Counters of streams and listeners.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use mjpeg_fanout::{Histogram, HistogramReading};

/// A reading of the counters of a [`StreamService`](crate::StreamService). All but the first only
/// grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct StreamStats {
    /// Streams being sent now.
    pub viewers: u64,
    /// Viewers refused because of the [stream's limit](crate::StreamConfig::with_max_viewers).
    pub viewers_refused_stream: u64,
    /// Viewers refused because of the [limit that streams
    /// share](crate::StreamConfig::with_viewer_limit).
    pub viewers_refused_total: u64,
    /// Viewers refused because of the [limit per
    /// address](crate::StreamConfig::with_max_viewers_per_address).
    pub viewers_refused_address: u64,
    /// Viewers that a new viewer [replaced](crate#when-the-stream-is-full) because one of these
    /// limits was reached.
    pub viewers_replaced: u64,
    /// Requests answered `410` because a viewer with their key was
    /// [kicked](crate::StreamService::kick) less than a minute ago.
    pub viewers_refused_kicked: u64,
    /// Requests that the [gate](crate::Gate) refused.
    pub denied: u64,
    /// Decisions that took the [gate](crate::Gate) longer than its
    /// [limit](crate::StreamConfig::with_gate_timeout). They count as refused, too.
    pub gate_timeouts: u64,
    /// Viewers ended because the [gate](crate::Gate) no longer admits them, their grant expired, or
    /// [`kick`](crate::StreamService::kick) was called.
    pub kicked: u64,
    /// Parts handed to connections, repeats included.
    pub parts: u64,
    /// Bytes of those parts.
    pub sent_bytes: u64,
    /// Parts that repeated the last frame because no new one came.
    pub keepalives: u64,
    /// Frames that viewers skipped because frames came faster than they took them.
    pub skipped: u64,
    /// Connections closed because the viewer, or the client of a snapshot or another answer, took
    /// no byte for the [write stall limit](crate::StreamConfig::with_write_stall).
    pub write_stalls: u64,
    /// Connections closed because one frame, one snapshot, or another answer took longer than the
    /// [limit](crate::StreamConfig::with_max_frame_send_time).
    pub send_timeouts: u64,
    /// Viewers cut because they sent more behind their request than the
    /// [limit](crate::StreamConfig::with_max_viewer_input_bytes).
    pub viewer_input_cuts: u64,
    /// Responses ended because the viewer lagged by more than its own `?max_lag=`.
    pub lag_cuts: u64,
    /// Connections closed because they held the oldest frame, or text of `/state`, when those in
    /// flight passed the
    /// [limit](crate::StreamConfig::with_max_inflight_bytes).
    pub in_flight_cuts: u64,
    /// Responses ended because they reached their [longest
    /// duration](crate::StreamConfig::with_max_duration).
    pub duration_ends: u64,
    /// Requests of relays that this relay reads itself, or that are too many in a row, answered
    /// `508`.
    pub loops: u64,
    /// Requests for snapshots.
    pub snapshots: u64,
    /// Snapshots answered `304` because the client had the picture.
    pub snapshots_not_modified: u64,
    /// Snapshots answered `503` because no picture that satisfied the request came in time.
    pub snapshots_unavailable: u64,
    /// Requests for snapshots or `/state` answered `503` because there were already
    /// [as many as allowed](crate::StreamConfig::with_max_snapshots).
    pub snapshots_refused: u64,
    /// The same because of the [limit that streams
    /// share](crate::ViewerLimit::set_max_snapshots).
    pub snapshots_refused_total: u64,
    /// Clips whose sending began. Replays count as viewers.
    pub clips: u64,
    /// Requests for replays or clips answered `503` because there were already
    /// [as many as allowed](crate::StreamConfig), of this stream or of all.
    pub replays_refused: u64,
    /// How old frames were when sending them to a viewer began, counted from when they were
    /// received from the camera. Repeats and placeholders do not count.
    #[cfg_attr(feature = "serde", serde(serialize_with = "json::histogram"))]
    pub ages: HistogramReading,
}

/// A reading of the counters of a [`Listener`](crate::Listener). All but the first only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ListenerStats {
    /// Connections open now, those of viewers included.
    pub connections: u64,
    /// Connections accepted.
    pub accepted: u64,
    /// Requests read, those for streams included.
    pub requests: u64,
    /// Connections that could not be accepted, mostly for lack of file descriptors or memory.
    pub accept_errors: u64,
    /// Connections closed because no whole request head came within the
    /// [header timeout](crate::ListenerConfig::with_header_timeout). Of HTTP/2, those that had no
    /// request at all.
    pub header_timeouts: u64,
    /// Connections closed because what the client sent was not HTTP or its head was too large. Over
    /// HTTP/2, also because it flooded the connection, such as with requests that it cancels at
    /// once.
    pub bad_requests: u64,
    /// Connections closed because [wrapping](crate::Wrap) failed, such as a TLS handshake.
    pub handshake_errors: u64,
    /// Connections closed because [wrapping](crate::Wrap) took longer than the [header
    /// timeout](crate::ListenerConfig::with_header_timeout).
    pub handshake_timeouts: u64,
    /// Connections closed because wrapping had begun before that of [as many others as
    /// allowed](crate::ListenerConfig::with_max_handshakes).
    pub handshakes_displaced: u64,
    /// Connections closed because the client took no byte of an answer for the
    /// [write stall limit](crate::ListenerConfig::with_write_stall). Answers of streams, snapshots
    /// among them, have that of their stream and count there.
    pub write_stalls: u64,
}

/// Declares counters and how to read them.
macro_rules! counters {
    ($counters:ident => $reading:ident {
        $gauge:ident, $($counter:ident),+ $(,)? $(; $histogram:ident)?
    }) => {
        #[derive(Debug, Default)]
        pub(crate) struct $counters {
            pub(crate) $gauge: Gauge,
            $(pub(crate) $counter: Counter,)+
            $(pub(crate) $histogram: Ages,)?
        }

        impl $counters {
            pub(crate) fn read(&self) -> $reading {
                $reading {
                    $gauge: self.$gauge.now(),
                    $($counter: self.$counter.read(),)+
                    $($histogram: self.$histogram.0.read(),)?
                }
            }
        }
    };
}

counters!(StreamCounters => StreamStats {
    viewers,
    viewers_refused_stream,
    viewers_refused_total,
    viewers_refused_address,
    viewers_replaced,
    viewers_refused_kicked,
    denied,
    gate_timeouts,
    kicked,
    parts,
    sent_bytes,
    keepalives,
    skipped,
    write_stalls,
    send_timeouts,
    viewer_input_cuts,
    lag_cuts,
    in_flight_cuts,
    duration_ends,
    loops,
    snapshots,
    snapshots_not_modified,
    snapshots_unavailable,
    snapshots_refused,
    snapshots_refused_total,
    clips,
    replays_refused;
    ages
});

counters!(ListenerCounters => ListenerStats {
    connections,
    accepted,
    requests,
    accept_errors,
    header_timeouts,
    bad_requests,
    handshake_errors,
    handshake_timeouts,
    handshakes_displaced,
    write_stalls,
});

/// A number that only grows. Relaxed, because counters are read independently of each other.
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

/// How old frames are when sending them begins.
#[derive(Debug)]
pub(crate) struct Ages(pub(crate) Histogram);

impl Default for Ages {
    fn default() -> Self {
        Self(Histogram::new(AGE_BOUNDS_MS.map(Duration::from_millis)))
    }
}

/// From a frame that goes out at once to one that a slow link holds up for long.
const AGE_BOUNDS_MS: [u64; 12] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10_000];

/// Counts a connection for as long as it lives, however it ends.
pub(crate) struct CountedConnection(Arc<ListenerCounters>);

impl CountedConnection {
    pub(crate) fn new(counters: Arc<ListenerCounters>) -> Self {
        counters.connections.up();
        Self(counters)
    }
}

impl Drop for CountedConnection {
    fn drop(&mut self) {
        self.0.connections.down();
    }
}

/// How a histogram is serialised: its bounds and its sum in seconds.
#[cfg(feature = "serde")]
mod json {
    use mjpeg_fanout::HistogramReading;
    use serde::{Serializer, ser::SerializeStruct};

    pub(super) fn histogram<S: Serializer>(
        reading: &HistogramReading,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let mut histogram = to.serialize_struct("Histogram", 3)?;
        let bounds = reading.bounds.map(|bound| bound.as_secs_f64());
        histogram.serialize_field("bounds_s", &bounds)?;
        histogram.serialize_field("counts", &reading.counts)?;
        histogram.serialize_field("sum_s", &reading.sum.as_secs_f64())?;
        histogram.end()
    }
}
