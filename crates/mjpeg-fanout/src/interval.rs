//! The usual time between frames.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// A moving average of the time between frames, which one pause hardly moves.
///
/// One writer, any number of readers, no lock.
#[derive(Debug, Default)]
pub(crate) struct Interval {
    /// In nanoseconds; 0 before the first sample.
    mean: AtomicU64,
}

impl Interval {
    /// Adds the time since the previous frame.
    pub(crate) fn record(&self, since_last: Duration) {
        let sample = (since_last.as_nanos() as u64).max(1);
        let mean = match self.mean.load(Ordering::Relaxed) {
            0 => sample,
            // A pause counts as four intervals at most, so that an outage does not look like a
            // slow camera for long. The floor keeps a burst of frames from pinning the mean near
            // zero.
            mean => {
                let most = mean.saturating_mul(4).max(PAUSE_FLOOR_NANOS);
                mean - mean / WEIGHT + sample.min(most) / WEIGHT
            }
        };
        self.mean.store(mean.max(1), Ordering::Relaxed);
    }

    /// The average; `None` before the first sample.
    pub(crate) fn mean(&self) -> Option<Duration> {
        match self.mean.load(Ordering::Relaxed) {
            0 => None,
            nanos => Some(Duration::from_nanos(nanos)),
        }
    }
}

/// Smoothing factor: about how many intervals the average spans.
const WEIGHT: u64 = 8;

/// A pause up to this long counts in full, however short the average is.
const PAUSE_FLOOR_NANOS: u64 = 100_000_000;
