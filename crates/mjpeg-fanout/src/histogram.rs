//! Counts durations by how long they are.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// How many bounds a [`Histogram`] has. There is one more bucket, for what is above all of them.
const BOUNDS: usize = 12;

/// Counts durations in fixed buckets, for monitoring. Any number of writers and readers, no lock.
///
/// ```
/// use std::time::Duration;
///
/// use mjpeg_fanout::Histogram;
///
/// let histogram = Histogram::new([1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000]
///     .map(Duration::from_millis));
/// histogram.record(Duration::from_millis(2));
/// histogram.record(Duration::from_secs(60));
/// let reading = histogram.read();
/// assert_eq!((reading.counts[1], reading.counts[12], reading.count()), (1, 1, 2));
/// assert_eq!(reading.sum, Duration::from_millis(60_002));
/// ```
pub struct Histogram {
    bounds: [Duration; BOUNDS],
    counts: [AtomicU64; BOUNDS + 1],
    /// In microseconds: in nanoseconds, the ages of 20,000 viewers would overflow within days.
    sum: AtomicU64,
}

/// A reading of a [`Histogram`]. The default is that of no histogram: all zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistogramReading {
    /// The longest duration of each bucket, in rising order. The last bucket has no bound.
    pub bounds: [Duration; BOUNDS],
    /// How many durations fell into each bucket. They only grow.
    pub counts: [u64; BOUNDS + 1],
    /// The sum of all durations, each in whole microseconds. It only grows.
    pub sum: Duration,
}

impl Histogram {
    /// Makes an empty histogram with these bounds, which must rise.
    pub const fn new(bounds: [Duration; BOUNDS]) -> Self {
        Self {
            bounds,
            counts: [const { AtomicU64::new(0) }; BOUNDS + 1],
            sum: AtomicU64::new(0),
        }
    }

    /// Counts a duration.
    pub fn record(&self, duration: Duration) {
        let bucket = self.bounds.partition_point(|bound| *bound < duration);
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.sum.fetch_add(micros, Ordering::Relaxed);
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
    }

    /// Reads it. A duration that is recorded meanwhile may be in the sum or in the counts alone.
    pub fn read(&self) -> HistogramReading {
        HistogramReading {
            bounds: self.bounds,
            counts: std::array::from_fn(|at| self.counts[at].load(Ordering::Relaxed)),
            sum: Duration::from_micros(self.sum.load(Ordering::Relaxed)),
        }
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.read().count();
        f.debug_struct("Histogram")
            .field("count", &count)
            .finish_non_exhaustive()
    }
}

impl HistogramReading {
    /// Returns how many durations were counted.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}
