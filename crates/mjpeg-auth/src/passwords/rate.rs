//! How many passwords are verified each second.

use std::time::Duration;

use tokio::time::Instant;

/// Lets through so many in any second. Pure: times are given from outside.
#[derive(Debug, Default)]
pub(crate) struct AttemptRate {
    /// When the next one would be let through if they came evenly.
    due: Option<Instant>,
}

impl AttemptRate {
    /// Takes a place, of this many a second.
    ///
    /// # Errors
    ///
    /// How long to wait for one.
    pub(crate) fn take(&mut self, per_second: u32, now: Instant) -> Result<(), Duration> {
        let interval = SECOND / per_second.max(1);
        // They may come in a burst: all of a second at once.
        let due = self.due.map_or(now, |due| due.max(now));
        let ahead = due - now;
        if ahead + interval > SECOND {
            return Err(ahead + interval - SECOND);
        }
        self.due = Some(due + interval);
        Ok(())
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn so_many_pass_each_second_and_the_next_is_told_when() {
        let mut rate = AttemptRate::default();
        let start = Instant::now();
        for _ in 0..10 {
            assert_eq!(rate.take(10, start), Ok(()));
        }
        assert_eq!(rate.take(10, start), Err(SECOND / 10));
        assert_eq!(rate.take(10, start + SECOND / 20), Err(SECOND / 20));
        let asked = (0..100).map(|n| start + (1 + n) * SECOND / 100);
        let passed = asked.filter(|&now| rate.take(10, now).is_ok());
        assert_eq!(passed.count(), 10);
        // A quiet hour does not add up.
        let later = start + 3600 * SECOND;
        let passed = (0..20).filter(|_| rate.take(10, later).is_ok());
        assert_eq!(passed.count(), 10);
    }
}
