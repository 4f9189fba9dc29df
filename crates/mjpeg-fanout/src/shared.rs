//! What a producer and its consumers share besides frames.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use mjpeg_codec::multipart::Via;
use tokio::sync::watch;

use crate::{
    histogram::{Histogram, HistogramReading},
    interval::Interval,
    meter::Meter,
    recorder::Recorders,
    turns::Turns,
};

/// One per fan-out.
#[derive(Debug)]
pub(crate) struct Shared {
    /// How many consumers want frames.
    pub(crate) viewers: Arc<watch::Sender<usize>>,
    pub(crate) recorders: Recorders,
    pub(crate) turns: Arc<Turns>,
    interval: Interval,
    intervals: Histogram,
    /// The ring that keeps its last frames, if there is one.
    #[cfg(feature = "ring")]
    pub(crate) replay: std::sync::OnceLock<crate::ring::ReplayRing>,
    /// The relays that the source's frames come through.
    via: Mutex<Via>,
    meter: Mutex<Meter>,
}

impl Shared {
    pub(crate) fn new() -> Self {
        Self {
            viewers: Arc::new(watch::channel(0).0),
            recorders: Recorders::default(),
            turns: Arc::default(),
            interval: Interval::default(),
            intervals: Histogram::new(INTERVAL_BOUNDS_MS.map(Duration::from_millis)),
            #[cfg(feature = "ring")]
            replay: std::sync::OnceLock::new(),
            via: Mutex::default(),
            meter: Mutex::default(),
        }
    }

    /// The usual time between frames; `None` before the second.
    pub(crate) fn interval(&self) -> Option<Duration> {
        self.interval.mean()
    }

    /// The times between frames.
    pub(crate) fn intervals(&self) -> HistogramReading {
        self.intervals.read()
    }

    /// The relays that the source's frames come through.
    pub(crate) fn via(&self) -> Via {
        let via = self.via.lock();
        via.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_via(&self, via: Via) {
        *self.via.lock().unwrap_or_else(PoisonError::into_inner) = via;
    }

    /// Frames per second over the last seconds.
    pub(crate) fn fps(&self, now: Instant) -> f64 {
        self.meter().rate(now)
    }

    /// Records when a frame was captured, and how long that is after the frame before it.
    pub(crate) fn record(&self, captured: Instant, since_last: Option<Duration>) {
        self.meter().record(captured);
        if let Some(since_last) = since_last {
            self.interval.record(since_last);
            self.intervals.record(since_last);
        }
    }

    /// Poisoning is ignored: nothing under this lock can panic and leave a change half done.
    fn meter(&self) -> MutexGuard<'_, Meter> {
        self.meter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Between the usual intervals (60, 50, 30, 25, 20, 15, 10, 5, 2 and 1 frames per second), so that
/// a steady camera stays in one bucket.
const INTERVAL_BOUNDS_MS: [u64; 12] = [12, 18, 25, 36, 45, 58, 80, 150, 300, 750, 1500, 10_000];
