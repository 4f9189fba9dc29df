//! Webhooks: events of streams, sent to URLs of the configuration, signed.

mod delivery;
mod queue;
mod signature;
pub(crate) mod stats;
pub(crate) mod webhook;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use mjpeg_control::{ApiEvent, ApiEvents};
use tokio::{sync::watch, time::Instant};

use self::{
    delivery::Delivery,
    queue::{EventQueue, QueuedEvent},
    stats::{WebhookCounters, WebhookStats},
    webhook::Webhook,
};
use crate::{background::OwnedTask, secrets::masked_json};

/// The webhooks that run. Each has a queue and a task of its own, so that none waits for another,
/// and no stream for any of them. Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub(crate) struct Webhooks(Arc<WebhooksInner>);

#[derive(Default)]
struct WebhooksInner {
    running: Mutex<Vec<RunningWebhook>>,
}

/// A webhook, and the task that sends its events. Dropping it ends the task.
struct RunningWebhook {
    config: watch::Sender<Arc<Webhook>>,
    queue: Arc<EventQueue>,
    counters: Arc<WebhookCounters>,
    _task: OwnedTask,
}

impl Webhooks {
    /// Replaces all webhooks. Those that keep their name keep what waits for them, and send it as
    /// they are now.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub(crate) fn replace(&self, wanted: &[Webhook]) {
        let mut running = self.running();
        let mut old = std::mem::take(&mut *running);
        for webhook in wanted {
            let is_it = |known: &RunningWebhook| known.config.borrow().name == webhook.name;
            match old.iter().position(is_it) {
                Some(at) => {
                    let known = old.swap_remove(at);
                    known.configure(webhook);
                    running.push(known);
                }
                None => running.push(RunningWebhook::start(webhook)),
            }
        }
    }

    /// Passes these events on, until the task is dropped.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub(crate) fn follow(&self, mut events: ApiEvents) -> OwnedTask {
        let webhooks = self.clone();
        OwnedTask::start(async move {
            let mut missed = 0;
            loop {
                let event = events.next().await;
                let now_missed = events.missed();
                webhooks.pass_on(event, now_missed - missed);
                missed = now_missed;
            }
        })
    }

    /// Ends all deliveries. What waits is forgotten.
    pub(crate) fn stop(&self) {
        self.running().clear();
    }

    /// Reads the counters of all webhooks, by their names.
    pub(crate) fn stats(&self) -> Vec<(String, WebhookStats)> {
        let running = self.running();
        let read = |webhook: &RunningWebhook| {
            let name = webhook.config.borrow().name.clone();
            let waiting = webhook.queue.len();
            (name, webhook.counters.read(waiting))
        };
        running.iter().map(read).collect()
    }

    fn pass_on(&self, event: ApiEvent, missed: u64) {
        let running = self.running();
        let wanting = |webhook: &&RunningWebhook| webhook.config.borrow().wants(&event);
        let mut queued = None;
        for webhook in running.iter().filter(wanting) {
            let queued = queued.get_or_insert_with(|| QueuedEvent::new(&event));
            if webhook.queue.push(queued.clone()) {
                webhook.counters.lose(1);
            }
        }
        if missed > 0 {
            // Which events they were, nobody knows.
            running.iter().for_each(|one| one.counters.lose(missed));
        }
    }

    /// Nothing that is done under the lock can panic.
    fn running(&self) -> MutexGuard<'_, Vec<RunningWebhook>> {
        let running = self.0.running.lock();
        running.unwrap_or_else(PoisonError::into_inner)
    }
}

impl RunningWebhook {
    fn start(webhook: &Webhook) -> Self {
        let config = watch::Sender::new(Arc::new(webhook.clone()));
        let (queue, counters) = (Arc::default(), Arc::default());
        let delivery = Delivery::new(
            config.subscribe(),
            Arc::clone(&queue),
            Arc::clone(&counters),
        );
        Self {
            _task: OwnedTask::start(delivery.run()),
            config,
            queue,
            counters,
        }
    }

    fn configure(&self, webhook: &Webhook) {
        self.config.send_if_modified(|config| {
            let differs = **config != *webhook;
            if differs {
                *config = Arc::new(webhook.clone());
            }
            differs
        });
    }
}

impl QueuedEvent {
    fn new(event: &ApiEvent) -> Self {
        // A camera's URL or its error may repeat what was taken from a file.
        let masked = masked_json(event.json.as_bytes());
        let json = masked.unwrap_or_else(|| event.json.clone());
        Self {
            id: event.id.as_str().into(),
            json: json.into(),
            since: Instant::now(),
        }
    }
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.stats()).finish()
    }
}
