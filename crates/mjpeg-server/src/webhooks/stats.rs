//! What is counted of a webhook.

use std::sync::atomic::{AtomicU64, Ordering};

/// The counters of a webhook.
#[derive(Default)]
pub(super) struct WebhookCounters {
    sent: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
    retries: AtomicU64,
}

/// A reading of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct WebhookStats {
    /// Events that the receiver has taken.
    pub(crate) sent: u64,
    /// Events that were given up.
    pub(crate) failed: u64,
    /// Events that were dropped because too many waited.
    pub(crate) dropped: u64,
    /// Attempts after the first one of each event.
    pub(crate) retries: u64,
    /// Events that wait.
    pub(crate) waiting: u64,
}

impl WebhookCounters {
    pub(super) fn send(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn fail(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn lose(&self, count: u64) {
        self.dropped.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self, waiting: usize) -> WebhookStats {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        WebhookStats {
            sent: read(&self.sent),
            failed: read(&self.failed),
            dropped: read(&self.dropped),
            retries: read(&self.retries),
            waiting: waiting as u64,
        }
    }
}
