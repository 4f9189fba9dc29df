//! The events that wait to be sent to one webhook.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::{sync::Notify, time::Instant};

/// An event that waits to be sent.
#[derive(Clone)]
pub(super) struct QueuedEvent {
    pub(super) id: Arc<str>,
    pub(super) json: Bytes,
    pub(super) since: Instant,
}

/// The latest events, the oldest first.
#[derive(Default)]
pub(super) struct EventQueue {
    waiting: Mutex<VecDeque<QueuedEvent>>,
    added: Notify,
}

impl EventQueue {
    /// Adds an event. Returns whether the oldest one was dropped for it.
    pub(super) fn push(&self, event: QueuedEvent) -> bool {
        let mut waiting = self.waiting();
        let is_full = waiting.len() == MOST_WAITING;
        if is_full {
            waiting.pop_front();
        }
        waiting.push_back(event);
        drop(waiting);
        self.added.notify_one();
        is_full
    }

    /// Waits for the oldest event and takes it. There may be one who waits.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a dropped future has taken nothing.
    pub(super) async fn next(&self) -> QueuedEvent {
        loop {
            let first = self.waiting().pop_front();
            match first {
                Some(event) => return event,
                None => self.added.notified().await,
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting().len()
    }

    /// Nothing that is done under the lock can panic.
    fn waiting(&self) -> MutexGuard<'_, VecDeque<QueuedEvent>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many events wait for a webhook. An event has a few hundred bytes.
pub(super) const MOST_WAITING: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn event(number: usize) -> QueuedEvent {
        QueuedEvent {
            id: number.to_string().into(),
            json: Bytes::new(),
            since: Instant::now(),
        }
    }

    #[tokio::test]
    async fn oldest_events_are_dropped_when_too_many_wait() {
        let queue = EventQueue::default();
        for number in 0..MOST_WAITING {
            assert!(!queue.push(event(number)), "{number}");
        }
        assert!(queue.push(event(MOST_WAITING)));
        assert_eq!(queue.len(), MOST_WAITING);
        for number in 1..=MOST_WAITING {
            assert_eq!(&*queue.next().await.id, number.to_string());
        }
        let (next, ()) = tokio::join!(queue.next(), async { assert!(!queue.push(event(7))) });
        assert_eq!(&*next.id, "7");
    }
}
