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
        let mut average = before;
        // Each part counts, so that a burst weighs more than a single part beside it.
        for _ in 0..=together {
            average = next(average, sample);
        }
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

/// The average after one more sample.
fn next(usual: u64, sample: u64) -> u64 {
    // Nothing is known yet but that parts came together.
    if usual < TOGETHER_NANOS {
        return sample;
    }
    // A pause counts as at most four intervals, so that the rate recovers soon after it. A short
    // pause counts in full.
    let most = usual.saturating_mul(4).max(SHORT_PAUSE_NANOS);
    usual - usual / WEIGHT + sample.min(most) / WEIGHT
}

/// About how many intervals the average spans.
const WEIGHT: u64 = 8;

const SHORT_PAUSE_NANOS: u64 = 100_000_000;

/// Parts that begin less than this apart came together.
const TOGETHER_NANOS: u64 = 5_000_000;

/// The most parts that count as one burst.
const MOST_TOGETHER: u64 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn fps(intervals_ms: &[u64]) -> f64 {
        let interval = PartInterval::default();
        for ms in intervals_ms.iter().cycle().take(200) {
            interval.add(Duration::from_millis(*ms));
        }
        1.0 / interval.average().unwrap().as_secs_f64()
    }

    #[test]
    fn parts_that_come_together_count_as_what_they_are() {
        for (intervals_ms, expected) in [
            (&[40][..], 25.0),
            (&[0, 0, 0, 250], 16.0),
            (&[1, 1, 248], 12.0),
            // A repeat between bursts.
            (&[0, 0, 0, 100, 150], 20.0),
        ] {
            let fps = fps(intervals_ms);
            let is_near = (fps - expected).abs() < 0.25 * expected;
            assert!(is_near, "{fps} instead of {expected}");
        }
    }
}
