//! The usual time between frames.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// A moving average of the time between frames, which one pause hardly moves.
///
/// Frames that come together count as if they had come evenly. One writer, any number of readers,
/// no lock.
#[derive(Debug, Default)]
pub(crate) struct Interval {
    /// In nanoseconds; 0 before the first sample.
    mean: AtomicU64,
    /// How many frames came together with the one before them, since the last that did not.
    together: AtomicU64,
    /// The time that those took, in nanoseconds.
    spread: AtomicU64,
}

impl Interval {
    /// Adds the time since the previous frame.
    pub(crate) fn record(&self, since_last: Duration) {
        let nanos = u64::try_from(since_last.as_nanos()).unwrap_or(u64::MAX);
        let together = self.together.load(Ordering::Relaxed);
        let spread = self.spread.load(Ordering::Relaxed).saturating_add(nanos);
        let mean = self.mean.load(Ordering::Relaxed);
        if nanos < TOGETHER_NANOS && together < MOST_TOGETHER {
            self.together.store(together + 1, Ordering::Relaxed);
            self.spread.store(spread, Ordering::Relaxed);
            if mean == 0 {
                self.mean.store(nanos.max(1), Ordering::Relaxed);
            }
            return;
        }
        self.together.store(0, Ordering::Relaxed);
        self.spread.store(0, Ordering::Relaxed);
        let sample = (spread / (together + 1)).max(1);
        let mut mean = mean;
        // Each frame counts, so that a burst weighs more than a single frame beside it.
        for _ in 0..=together {
            mean = next(mean, sample);
        }
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

/// The average after one more sample.
fn next(mean: u64, sample: u64) -> u64 {
    // Nothing is known yet but that frames came together.
    if mean < TOGETHER_NANOS {
        return sample;
    }
    // A pause counts as four intervals at most, so that an outage does not look like a slow camera
    // for long. The floor keeps a burst of frames from pinning the mean near zero.
    let most = mean.saturating_mul(4).max(PAUSE_FLOOR_NANOS);
    mean - mean / WEIGHT + sample.min(most) / WEIGHT
}

/// Smoothing factor: about how many intervals the average spans.
const WEIGHT: u64 = 8;

/// A pause up to this long counts in full, however short the average is.
const PAUSE_FLOOR_NANOS: u64 = 100_000_000;

/// Frames less than this apart came together.
const TOGETHER_NANOS: u64 = 5_000_000;

/// The most frames that count as one burst: a source that always sends so fast has an interval too.
const MOST_TOGETHER: u64 = 8;
