//! How many connections may be wrapped at the same time, such as by a TLS handshake.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

/// The connections that are being wrapped.
#[derive(Debug, Default)]
pub(crate) struct Handshakes(Mutex<Running>);

#[derive(Debug, Default)]
struct Running {
    next: u64,
    /// Oldest first. Dropping a sender displaces its handshake.
    senders: BTreeMap<u64, oneshot::Sender<()>>,
}

impl Handshakes {
    /// Begins one more. If that is more than `most`, the oldest is displaced.
    pub(crate) fn begin(&self, most: usize) -> Handshake<'_> {
        let (sender, displaced) = oneshot::channel();
        let mut running = self.lock();
        let id = running.next;
        running.next += 1;
        while running.senders.len() >= most.max(1) {
            running.senders.pop_first();
        }
        running.senders.insert(id, sender);
        Handshake {
            all: self,
            id,
            displaced,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Running> {
        // Nothing under this lock can panic and leave half a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection is being wrapped, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Handshake<'a> {
    all: &'a Handshakes,
    id: u64,
    displaced: oneshot::Receiver<()>,
}

impl Handshake<'_> {
    /// Waits until another takes the place of this one.
    pub(crate) async fn displaced(&mut self) {
        // Nothing is ever sent: the error is what tells.
        let _ = (&mut self.displaced).await;
    }
}

impl Drop for Handshake<'_> {
    fn drop(&mut self) {
        self.all.lock().senders.remove(&self.id);
    }
}
