//! How long a producer may wait for its consumers.

use std::time::Duration;

use tokio::time::Instant;

/// Bounds single waits, and all waits together to half of the time that passes. So a source that
/// does not pause is read as fast as it sends, whatever its viewers do.
///
/// Pure arithmetic over times given from outside.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    /// How much was spent at `since`, less what has been earned back.
    spent: Duration,
    since: Option<Instant>,
}

impl Patience {
    /// How long a wait may take that begins now.
    pub(crate) fn left(&mut self, now: Instant) -> Duration {
        if let Some(since) = self.since.replace(now) {
            let earned = now.saturating_duration_since(since) / 2;
            self.spent = self.spent.saturating_sub(earned);
        }
        LONGEST_WAIT.min(MOST_SPENT.saturating_sub(self.spent))
    }

    /// Records a wait that ends now and took this long.
    pub(crate) fn spend(&mut self, waited: Duration) {
        self.spent += waited;
    }
}

/// The longest single wait. A thousand viewers have had their turn after 15 ms; 100 kB are on their
/// way to a viewer with 20 Mbit/s after 40 ms. The rest is for a machine that is busy.
const LONGEST_WAIT: Duration = Duration::from_millis(100);

/// The most that may be waited without a pause.
const MOST_SPENT: Duration = Duration::from_millis(400);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_waits_and_their_sum_are_bounded() {
        let start = Instant::now();
        let mut patience = Patience::default();
        let (mut now, mut waited) = (start, Duration::ZERO);
        // A source that never pauses, and a viewer that is never done in time.
        for _ in 0..1000 {
            let wait = patience.left(now);
            assert!(wait <= LONGEST_WAIT);
            patience.spend(wait);
            waited += wait;
            now += wait + Duration::from_millis(1);
        }
        let passed = now - start;
        assert!(
            waited <= MOST_SPENT + passed / 2,
            "{waited:?} of {passed:?}"
        );
    }

    #[test]
    fn pause_gives_patience_back() {
        let start = Instant::now();
        let mut patience = Patience::default();
        patience.left(start);
        patience.spend(MOST_SPENT);
        assert_eq!(patience.left(start), Duration::ZERO);
        assert_eq!(patience.left(start + 4 * MOST_SPENT), LONGEST_WAIT);
    }
}
