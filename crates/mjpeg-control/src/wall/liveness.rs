//! Whether a client is still there.

use std::time::Duration;

use tokio::time::Instant;

/// Decides when a client is pinged, and when it counts as gone: when it says nothing for the limit
/// after it was sent something that it has to answer.
#[derive(Debug)]
pub(crate) struct Liveness {
    limit: Duration,
    interval: Duration,
    next_ping: Instant,
    /// When the ping was sent that is not answered yet.
    pinged_at: Option<Instant>,
    /// Since when it has to answer something.
    awaited_since: Option<Instant>,
}

impl Liveness {
    /// The first ping is due at once: it tells how far away the client is.
    pub(crate) fn new(limit: Duration, now: Instant) -> Self {
        Self {
            limit,
            interval: PING_INTERVAL.min(limit).max(SHORTEST_INTERVAL),
            next_ping: now,
            pinged_at: None,
            awaited_since: None,
        }
    }

    /// When a message that is no picture must have been written.
    pub(crate) fn deadline(&self, now: Instant) -> Instant {
        now.checked_add(self.limit).unwrap_or_else(|| now + FOREVER)
    }

    /// Whether a ping is due; it is then sent.
    pub(crate) fn pings(&mut self, now: Instant) -> bool {
        if now < self.next_ping {
            return false;
        }
        self.next_ping = now + self.interval;
        self.pinged_at = Some(now);
        self.expects(now);
        true
    }

    /// Records that something was sent that the client has to answer.
    pub(crate) fn expects(&mut self, now: Instant) {
        self.awaited_since.get_or_insert(now);
    }

    /// Records that it has said something.
    pub(crate) fn heard(&mut self) {
        self.awaited_since = None;
    }

    /// Records a pong. Returns how long it took, if it answers a ping.
    pub(crate) fn answered(&mut self, now: Instant) -> Option<Duration> {
        let pinged_at = self.pinged_at.take()?;
        Some(now.saturating_duration_since(pinged_at))
    }

    /// Whether it counts as gone.
    pub(crate) fn is_stalled(&self, now: Instant) -> bool {
        self.gone_at().is_some_and(|at| at <= now)
    }

    /// When something is to be done.
    pub(crate) fn next_time(&self) -> Instant {
        self.gone_at()
            .map_or(self.next_ping, |at| at.min(self.next_ping))
    }

    fn gone_at(&self) -> Option<Instant> {
        self.awaited_since?.checked_add(self.limit)
    }
}

const PING_INTERVAL: Duration = Duration::from_secs(20);
/// Longer than any connection.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn who_answers_pings_is_there() {
        let start = Instant::now();
        let mut liveness = Liveness::new(LIMIT, start);
        for round in 0..10 {
            let now = start + round * PING_INTERVAL;
            assert!(liveness.pings(now) && !liveness.pings(now), "{round}");
            let later = now + Duration::from_secs(3);
            liveness.heard();
            assert_eq!(liveness.answered(later), Some(later - now));
            assert_eq!(liveness.answered(later), None, "no ping");
            assert!(!liveness.is_stalled(later + LIMIT), "{round}");
            assert_eq!(liveness.next_time(), now + PING_INTERVAL);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_is_gone() {
        let start = Instant::now();
        let mut liveness = Liveness::new(LIMIT, start);
        assert!(liveness.pings(start));
        assert!(liveness.pings(start + PING_INTERVAL));
        liveness.expects(start + PING_INTERVAL);
        assert_eq!(liveness.next_time(), start + LIMIT);
        assert!(!liveness.is_stalled(start + LIMIT - Duration::from_millis(1)));
        assert!(liveness.is_stalled(start + LIMIT));
    }
}
