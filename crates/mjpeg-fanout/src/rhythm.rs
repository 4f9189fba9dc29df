//! How regularly something comes.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// The usual interval of something that comes again and again, such as a camera's frames: a moving average that one pause hardly moves.
///
/// One writer, any number of readers, no lock.
#[derive(Debug, Default)]
pub struct Rhythm {
    /// In nanoseconds; 0 before the first.
    interval: AtomicU64,
}

impl Rhythm {
    /// Takes in how long it was since the last one.
    pub fn beat(&self, since_last: Duration) {
        let sample = (since_last.as_nanos() as u64).max(1);
        let interval = match self.interval.load(Ordering::Relaxed) {
            0 => sample,
            // A pause counts as four intervals at most, so that an outage does not look like a slow camera for long after.
            // But frames that came together do not bind it to nothing.
            usual => {
                let most = usual.saturating_mul(4).max(LEAST_PAUSE_NANOS);
                usual - usual / WEIGHT + sample.min(most) / WEIGHT
            }
        };
        self.interval.store(interval.max(1), Ordering::Relaxed);
    }

    /// The usual interval; `None` before the first.
    pub fn interval(&self) -> Option<Duration> {
        match self.interval.load(Ordering::Relaxed) {
            0 => None,
            nanos => Some(Duration::from_nanos(nanos)),
        }
    }
}

/// Of how many intervals, about, the average is.
const WEIGHT: u64 = 8;

/// A pause counts as much at least, if it was as long.
const LEAST_PAUSE_NANOS: u64 = 100_000_000;
