//! How long a stream waits after a panic of its task.

use std::time::Duration;

use mjpeg_ingest::Backoff;
use tokio::time::Instant;

/// How often the task has panicked.
pub(super) struct Panics {
    seed: u64,
    in_a_row: u32,
    last: Option<Instant>,
}

impl Panics {
    pub(super) fn new() -> Self {
        Self {
            seed: fastrand::u64(..),
            in_a_row: 0,
            last: None,
        }
    }

    /// Counts a panic, and returns how long to wait after it.
    pub(super) fn delay(&mut self, now: Instant) -> Duration {
        let is_rare = |last: Instant| now.saturating_duration_since(last) >= STABLE_AFTER;
        if self.last.replace(now).is_some_and(is_rare) {
            self.in_a_row = 0;
        }
        self.in_a_row += 1;
        Backoff::default().delay(self.in_a_row - 1, self.seed)
    }
}

/// How long a stream must have run for the next panic to count as the first again.
const STABLE_AFTER: Duration = Duration::from_secs(60);
