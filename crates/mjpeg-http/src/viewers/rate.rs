//! How often a viewer takes a part.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// A moving average of the intervals between parts. Parts that come together count as if they had
/// come evenly. One writer, any number of readers, no lock.
#[derive(Debug, Default)]
pub(crate) struct PartInterval {
    /// In nanoseconds; 0 before the first interval.
    nanos: AtomicU64,
    /// How many parts came together with the one before them, since the last that did not.
    together: AtomicU64,
}

impl PartInterval {
    /// Adds an interval.
    pub(crate) fn add(&self, interval: Duration) {
        let nanos = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX);
        let together = self.together.load(Ordering::Relaxed);
        let before = self.nanos.load(Ordering::Relaxed);
        if nanos < TOGETHER_NANOS && together < MOST_TOGETHER {
            self.together.store(together + 1, Ordering::Relaxed);
            if before == 0 {
                self.nanos.store(nanos.max(1), Ordering::Relaxed);
            }
            return;
        }
        self.together.store(0, Ordering::Relaxed);
        let sample = (nanos / (together + 1)).max(1);
        let average = match before {
            // Nothing is known yet but that parts came together.
            usual if usual < TOGETHER_NANOS => sample,
            // A pause counts as at most four intervals, so that the rate recovers soon after it. A
            // short pause counts in full.
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

/// Parts that begin less than this apart came together.
const TOGETHER_NANOS: u64 = 5_000_000;

/// The most parts that count as one burst.
const MOST_TOGETHER: u64 = 8;
