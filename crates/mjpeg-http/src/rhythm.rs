//! The usual time between the parts that a viewer is sent.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// A moving average of intervals, which one pause hardly moves.
///
/// One writer, any number of readers, no lock.
#[derive(Debug, Default)]
pub(crate) struct Rhythm {
    /// In nanoseconds; 0 before the first sample.
    interval: AtomicU64,
}

impl Rhythm {
    /// Adds the time since the previous part.
    pub(crate) fn beat(&self, since_last: Duration) {
        let sample = (since_last.as_nanos() as u64).max(1);
        let interval = match self.interval.load(Ordering::Relaxed) {
            0 => sample,
            // A pause counts as four intervals at most, so that one outage hardly moves the
            // average. The floor keeps a burst of parts from pinning it near zero.
            usual => {
                let most = usual.saturating_mul(4).max(PAUSE_FLOOR_NANOS);
                usual - usual / WEIGHT + sample.min(most) / WEIGHT
            }
        };
        self.interval.store(interval.max(1), Ordering::Relaxed);
    }

    /// The average; `None` before the first sample.
    pub(crate) fn interval(&self) -> Option<Duration> {
        match self.interval.load(Ordering::Relaxed) {
            0 => None,
            nanos => Some(Duration::from_nanos(nanos)),
        }
    }
}

/// Smoothing factor: about how many intervals the average spans.
const WEIGHT: u64 = 8;

/// A pause up to this long counts in full, however short the average is.
const PAUSE_FLOOR_NANOS: u64 = 100_000_000;
