//! Outages of what requests are sent to: two lines of the log each, not one for each attempt.

use std::time::Duration;

use tokio::time::Instant;

/// Whether there is an outage, and whether it was told. Pure: times are given from outside.
#[derive(Debug, Default)]
pub(crate) struct RequestOutage {
    since: Option<Instant>,
    failures: u64,
    /// When the latest outage that was told began.
    told: Option<Instant>,
    is_told: bool,
}

/// An outage that is over, and was told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OutageEnd {
    /// Attempts that failed.
    pub(crate) failures: u64,
    pub(crate) lasted: Duration,
}

impl RequestOutage {
    /// Notes an attempt that failed. Returns whether to tell it: it is the first of an outage, and
    /// none was told within the last minute.
    pub(crate) fn fail(&mut self, now: Instant) -> bool {
        self.failures += 1;
        if self.since.is_some() {
            return false;
        }
        self.since = Some(now);
        let is_soon = |told| now.saturating_duration_since(told) < PAUSE;
        self.is_told = !self.told.is_some_and(is_soon);
        if self.is_told {
            self.told = Some(now);
        }
        self.is_told
    }

    /// Notes an attempt that succeeded. Returns the outage that it ends, if that is to be told.
    pub(crate) fn succeed(&mut self, now: Instant) -> Option<OutageEnd> {
        let failures = std::mem::take(&mut self.failures);
        let lasted = now.saturating_duration_since(self.since.take()?);
        self.is_told.then_some(OutageEnd { failures, lasted })
    }
}

/// How often outages are told at most.
const PAUSE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outage_is_told_twice_and_not_more_than_one_a_minute() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut outage = RequestOutage::default();
        assert_eq!(outage.succeed(at(0)), None);
        assert!(outage.fail(at(1)));
        assert!(!outage.fail(at(2)) && !outage.fail(at(3)));
        let end = OutageEnd {
            failures: 3,
            lasted: Duration::from_secs(9),
        };
        assert_eq!(outage.succeed(at(10)), Some(end));
        assert_eq!(outage.succeed(at(11)), None);
        // Neither its begin nor its end.
        assert!(!outage.fail(at(60)));
        assert_eq!(outage.succeed(at(62)), None);
        assert!(outage.fail(at(62)));
    }
}
