//! Waiting for a new value, as a future and as a poll.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::sync::watch;

/// A receiver that can also be polled, as `Stream` needs it.
pub(crate) struct Changes<T> {
    receiver: watch::Receiver<T>,
    /// The wait that [`poll_changed`](Self::poll_changed) has begun, on a receiver of its own.
    waiting: Option<Wait>,
}

/// Resolves to whether a new value came; `false` if the sender is gone.
type Wait = Pin<Box<dyn Future<Output = bool> + Send + Sync>>;

impl<T: Send + Sync + 'static> Changes<T> {
    pub(crate) fn new(receiver: watch::Receiver<T>) -> Self {
        Self {
            receiver,
            waiting: None,
        }
    }

    /// Another receiver of the same values.
    pub(crate) fn receiver(&self) -> watch::Receiver<T> {
        self.receiver.clone()
    }

    /// The newest value.
    pub(crate) fn borrow(&self) -> watch::Ref<'_, T> {
        self.receiver.borrow()
    }

    /// The newest value, which counts as seen from now on.
    pub(crate) fn borrow_and_update(&mut self) -> watch::Ref<'_, T> {
        self.receiver.borrow_and_update()
    }

    /// Waits for a value that has not been seen, and marks it as seen; `false` if the sender is
    /// gone and its last value was seen.
    ///
    /// Cancel safe.
    pub(crate) async fn changed(&mut self) -> bool {
        self.receiver.changed().await.is_ok()
    }

    /// As [`changed`](Self::changed), but leaves the value unseen.
    pub(crate) fn poll_changed(&mut self, context: &mut Context<'_>) -> Poll<bool> {
        let wait = self.waiting.get_or_insert_with(|| {
            // The clone has seen what this one has, so no value is missed between the two.
            let mut receiver = self.receiver.clone();
            Box::pin(async move { receiver.changed().await.is_ok() })
        });
        let polled = wait.as_mut().poll(context);
        if polled.is_ready() {
            self.waiting = None;
        }
        polled
    }

    /// Whether the sender is gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.receiver.has_changed().is_err()
    }
}

impl<T> Clone for Changes<T> {
    fn clone(&self) -> Self {
        Self {
            receiver: self.receiver.clone(),
            waiting: None,
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Changes<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.receiver.fmt(f)
    }
}
