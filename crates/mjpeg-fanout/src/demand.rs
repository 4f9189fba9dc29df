//! How many consumers want frames.

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

    /// Returns how many [`Viewing`] guards exist now.
    pub fn now(&self) -> usize {
        *self.0.borrow()
    }

    /// Waits until the number differs from the one returned last, and returns it. Changes in quick
    /// succession may be reported as one, and the number may be the same as before.
    ///
    /// Never returns once the producer and all consumers are dropped.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropping the future loses no change.
    pub async fn changed(&mut self) -> usize {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        *self.0.borrow_and_update()
    }
}

/// Counts as demand for frames while it lives; from
/// [`Consumer::viewing`](crate::Consumer::viewing).
#[derive(Debug)]
#[must_use = "dropping it ends the demand"]
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
