//! What the ingests of one source pass on to the next.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::error::Error;

/// Shared by all clones of a source, so that ingests which follow one another, as on a stream that
/// is read only while somebody watches, burden a camera no more than one that goes on.
#[derive(Debug, Default)]
pub(crate) struct Visits(Mutex<History>);

#[derive(Debug, Default)]
struct History {
    /// When the last ingest connected first.
    connected: Option<Instant>,
    refusal: Option<Refusal>,
}

/// A camera has refused a password.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) error: Arc<Error>,
    /// When the next login may be tried.
    pub(crate) until: Instant,
    /// The count of retry commands at that time.
    pub(crate) retries: u64,
}

impl Visits {
    /// Decides when an ingest may connect first.
    pub(crate) fn connects_at(&self, now: Instant, interval: Duration) -> Instant {
        let earliest = self.history().connected.map(|last| last + interval);
        earliest.unwrap_or(now).max(now)
    }

    /// Records that an ingest connects first. One that left before does not count, or a row of
    /// short visits would never connect.
    pub(crate) fn connects(&self, now: Instant) {
        self.history().connected = Some(now);
    }

    /// Records that the camera refused a password.
    pub(crate) fn refused(&self, refusal: Refusal) {
        self.history().refusal = Some(refusal);
    }

    /// Returns the refusal that forbids a login now, unless a retry was commanded since.
    pub(crate) fn forbids(&self, now: Instant, retries: u64) -> Option<Refusal> {
        let mut history = self.history();
        let holds = |refusal: &mut Refusal| now < refusal.until && refusal.retries == retries;
        history.refusal = history.refusal.take_if(holds);
        history.refusal.clone()
    }

    /// Lets a login be tried at once.
    pub(crate) fn forgive(&self) {
        self.history().refusal = None;
    }

    fn history(&self) -> MutexGuard<'_, History> {
        // Each call leaves it whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_connection_is_at_once_and_those_that_follow_keep_their_distance() {
        let (visits, second) = (Visits::default(), Duration::from_secs(1));
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let at_of = |now| visits.connects_at(now, second);
        assert_eq!(at_of(at(0)), at(0));
        visits.connects(at(0));
        assert_eq!(at_of(at(10)), at(1000));
        // The visitor at 10 ms has left before the second was over.
        assert_eq!(at_of(at(900)), at(1000));
        visits.connects(at(1000));
        assert_eq!(at_of(at(1001)), at(2000));
        assert_eq!(at_of(at(9000)), at(9000));
    }

    #[test]
    fn refusal_holds_for_its_time_and_until_a_retry() {
        let (start, minute) = (Instant::now(), Duration::from_secs(60));
        let visits = Visits::default();
        let refuse = || {
            visits.refused(Refusal {
                error: Arc::new(Error::Closed),
                until: start + minute,
                retries: 3,
            });
        };
        assert!(visits.forbids(start, 3).is_none());
        refuse();
        assert!(visits.forbids(start + minute / 2, 3).is_some());
        assert!(visits.forbids(start + minute, 3).is_none());
        refuse();
        assert!(visits.forbids(start, 4).is_none(), "a retry was commanded");
        refuse();
        visits.forgive();
        assert!(visits.forbids(start, 3).is_none());
    }
}
