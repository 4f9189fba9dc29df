//! How often a viewer takes a part.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// A moving average of the intervals between parts. One writer, any number of readers, no lock.
#[derive(Debug, Default)]
pub(crate) struct PartInterval {
    /// In nanoseconds; 0 before the first interval.
    nanos: AtomicU64,
}

impl PartInterval {
    /// Adds an interval.
    pub(crate) fn add(&self, interval: Duration) {
        let sample = (interval.as_nanos() as u64).max(1);
        let average = match self.nanos.load(Ordering::Relaxed) {
            0 => sample,
            // A pause counts as at most four intervals, so that the rate recovers soon after it. A
            // short pause counts in full: parts that came together must not hold the average down.
            usual => {
                let most = usual.saturating_mul(4).max(SHORT_PAUSE_NANOS);
                usual - usual / WEIGHT + sample.min(most) / WEIGHT
            }
        };
        self.nanos.store(average.max(1), Ordering::Relaxed);
    }

    /// The average; `None` before the first interval.
    pub(crate) fn average(&self) -> Option<Duration> {
        match self.nanos.load(Ordering::Relaxed) {
            0 => None,
            nanos => Some(Duration::from_nanos(nanos)),
        }
    }
}

/// About how many intervals the average spans.
const WEIGHT: u64 = 8;

const SHORT_PAUSE_NANOS: u64 = 100_000_000;
