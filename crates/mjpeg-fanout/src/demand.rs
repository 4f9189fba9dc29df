//! How many want frames.

use std::sync::Arc;

use tokio::sync::watch;

/// The producer's view of how many consumers want frames; from
/// [`Producer::demand`](crate::Producer::demand).
#[derive(Clone, Debug)]
pub struct Demand(watch::Receiver<usize>);

impl Demand {
    pub(crate) fn new(viewers: watch::Receiver<usize>) -> Self {
        Self(viewers)
    }

    /// How many want frames now.
    pub fn now(&self) -> usize {
        *self.0.borrow()
    }

    /// Waits until the number has changed since it was last returned, and returns it. Quick changes there and back may be seen as
    /// one.
    ///
    /// Waits for ever once nothing of the fan-out is left to change it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a dropped future has taken nothing.
    pub async fn changed(&mut self) -> usize {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        *self.0.borrow_and_update()
    }
}

/// Says, while it lives, that somebody wants frames; from [`Consumer::viewing`](crate::Consumer::viewing).
#[derive(Debug)]
#[must_use = "the wish for frames ends when this is dropped"]
pub struct Viewing(Arc<watch::Sender<usize>>);

impl Viewing {
    pub(crate) fn new(viewers: Arc<watch::Sender<usize>>) -> Self {
        viewers.send_modify(|n| *n += 1);
        Self(viewers)
    }
}

impl Drop for Viewing {
    fn drop(&mut self) {
        self.0.send_modify(|n| *n -= 1);
    }
}
