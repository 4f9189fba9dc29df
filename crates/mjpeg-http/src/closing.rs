//! Announces the end of a service or a listener to its tasks.

use tokio::sync::watch;

/// Announces an end, once.
#[derive(Debug)]
pub(crate) struct Closer(watch::Sender<bool>);

impl Closer {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    pub(crate) fn close(&self) {
        self.0.send_replace(true);
    }

    pub(crate) fn is_closed(&self) -> bool {
        *self.0.borrow()
    }

    pub(crate) fn closing(&self) -> Closing {
        Closing(self.0.subscribe())
    }
}

/// Waits for the end that a [`Closer`] announces.
#[derive(Clone, Debug)]
pub(crate) struct Closing(watch::Receiver<bool>);

impl Closing {
    /// Waits for the end; forever if the [`Closer`] is dropped without announcing one, because that
    /// must not end a response that is still being sent.
    pub(crate) async fn wait(&mut self) {
        // Not a match on the result itself: that would hold the watch's lock across the wait.
        let is_closed = self.0.wait_for(|is_closed| *is_closed).await.is_ok();
        if !is_closed {
            std::future::pending::<()>().await;
        }
    }
}
