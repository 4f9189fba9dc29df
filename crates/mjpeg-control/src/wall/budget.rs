//! How many messages a client may send.

use tokio::time::Instant;

/// A number of messages per second, and some more at once. Acks of frames are free: there are as
/// many as frames.
#[derive(Debug)]
pub(crate) struct MessageBudget {
    per_second: f64,
    left: f64,
    at: Instant,
}

impl MessageBudget {
    pub(crate) fn new(per_second: u32, now: Instant) -> Self {
        let per_second = f64::from(per_second);
        Self {
            per_second,
            left: per_second * SECONDS_AT_ONCE,
            at: now,
        }
    }

    /// Pays for a message that is as much work as this many plain ones. Returns whether the client
    /// may send it.
    pub(crate) fn pay(&mut self, messages: u32, now: Instant) -> bool {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        let most = self.per_second * SECONDS_AT_ONCE;
        self.left = (self.left + since * self.per_second).min(most) - f64::from(messages);
        self.at = now;
        self.left >= 0.0
    }
}

/// How many seconds' messages may come at once.
const SECONDS_AT_ONCE: f64 = 5.0;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn as_many_as_allowed_may_be_sent_and_no_more() {
        let start = Instant::now();
        let mut budget = MessageBudget::new(10, start);
        let sent = (0..100).take_while(|_| budget.pay(1, start)).count();
        assert_eq!(sent, 50);
        let mut budget = MessageBudget::new(10, start);
        for at in 0..100 {
            let now = start + Duration::from_secs(at);
            assert!(budget.pay(5, now) && budget.pay(5, now), "{at}");
        }
    }
}
