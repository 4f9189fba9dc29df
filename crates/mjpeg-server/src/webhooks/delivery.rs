//! The task that sends the events of one webhook, one after the other.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::StatusCode;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};
use tracing::{info, warn};

use super::{
    queue::{EventQueue, QueuedEvent},
    signature,
    stats::WebhookCounters,
    webhook::Webhook,
};
use crate::outbound::{
    outage::{OutageEnd, RequestOutage},
    post::{OutboundError, post},
};

/// Sends the events of one webhook, in order.
pub(super) struct Delivery {
    config: watch::Receiver<Arc<Webhook>>,
    queue: Arc<EventQueue>,
    counters: Arc<WebhookCounters>,
    outage: RequestOutage,
    /// Attempts that failed since the last one that did not, whatever event they were for.
    failures: u32,
}

impl Delivery {
    pub(super) fn new(
        config: watch::Receiver<Arc<Webhook>>,
        queue: Arc<EventQueue>,
        counters: Arc<WebhookCounters>,
    ) -> Self {
        Self {
            config,
            queue,
            counters,
            outage: RequestOutage::default(),
            failures: 0,
        }
    }

    /// Sends events until the task is ended.
    pub(super) async fn run(mut self) {
        loop {
            let event = self.queue.next().await;
            self.deliver(&event).await;
        }
    }

    /// Sends an event until the receiver takes it, or it is given up.
    async fn deliver(&mut self, event: &QueuedEvent) {
        let mut refusals = 0;
        for attempt in 0.. {
            if event.since.elapsed() >= LONGEST {
                break;
            }
            if attempt > 0 {
                self.counters.retry();
            }
            let webhook = Arc::clone(&self.config.borrow_and_update());
            let headers = signature::headers(event, &webhook.secret, SystemTime::now());
            let posting = post(&webhook.url, headers, event.json.clone(), ANSWER_TIME);
            let error = match posting.await {
                Ok(status) if status.is_success() => return self.succeed(&webhook),
                Ok(status) => OutboundError::Status(status),
                Err(error) => error,
            };
            refusals += u32::from(is_refusal(&error));
            self.fail(&webhook, error);
            if refusals == MOST_REFUSALS {
                // It answers: those that it wants must not wait for those that it does not.
                self.failures = 1;
                self.wait().await;
                break;
            }
            self.wait().await;
        }
        self.counters.fail();
    }

    fn succeed(&mut self, webhook: &Webhook) {
        self.failures = 0;
        self.counters.send();
        if let Some(OutageEnd { failures, lasted }) = self.outage.succeed(Instant::now()) {
            let outage_seconds = lasted.as_secs();
            info!(
                webhook = webhook.name,
                failures, outage_seconds, "the webhook takes events again"
            );
        }
    }

    fn fail(&mut self, webhook: &Webhook, error: OutboundError) {
        self.failures = self.failures.saturating_add(1);
        if self.outage.fail(Instant::now()) {
            let error = error.chain();
            warn!(
                webhook = webhook.name,
                error, "the webhook does not take events; retrying"
            );
        }
    }

    /// Waits before the next attempt. A new configuration ends the wait: it may be what was wrong.
    async fn wait(&mut self) {
        tokio::select! {
            () = sleep(delay(self.failures)) => {}
            changed = self.config.changed() => if changed.is_ok() {
                self.failures = 0;
            },
        }
    }
}

/// Whether the receiver says that it does not want this, now or later; a redirect says so, too.
fn is_refusal(error: &OutboundError) -> bool {
    let OutboundError::Status(status) = error else {
        return false;
    };
    let is_later = [
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::TOO_EARLY,
        StatusCode::TOO_MANY_REQUESTS,
    ];
    (status.is_client_error() || status.is_redirection()) && !is_later.contains(status)
}

/// How long to wait after so many failures.
fn delay(failures: u32) -> Duration {
    let doubled = FIRST_DELAY.saturating_mul(1 << failures.saturating_sub(1).min(16));
    doubled.min(LONGEST_DELAY)
}

/// How long an attempt takes at most.
const ANSWER_TIME: Duration = Duration::from_secs(10);
const FIRST_DELAY: Duration = Duration::from_millis(500);
const LONGEST_DELAY: Duration = Duration::from_secs(60);

/// After which time an event is given up: who has not heard of it by then reads the state anyway.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// After how many refusals an event is given up, so that those behind it have their turn.
const MOST_REFUSALS: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_made_less_and_less_often() {
        let millis: Vec<_> = (1..10)
            .map(|failures| delay(failures).as_millis())
            .collect();
        let expected = [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000];
        assert_eq!(millis, expected);
        assert_eq!(delay(u32::MAX), LONGEST_DELAY);
    }

    #[test]
    fn refusals_are_told_from_what_may_be_over_later() {
        let status = |status| OutboundError::Status(StatusCode::from_u16(status).unwrap());
        for refusal in [301, 302, 308, 400, 401, 404, 410, 422] {
            assert!(is_refusal(&status(refusal)), "{refusal}");
        }
        for later in [101, 408, 425, 429, 500, 502, 503] {
            assert!(!is_refusal(&status(later)), "{later}");
        }
        assert!(!is_refusal(&OutboundError::Timeout(ANSWER_TIME)));
    }
}
