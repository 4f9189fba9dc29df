//! Steering an ingest from elsewhere.

use std::sync::Arc;

use tokio::sync::watch;

/// Steers an [`Ingest`](crate::Ingest) while its owner pulls events. Cheap to clone; from
/// [`Ingest::control`](crate::Ingest::control).
///
/// Nothing here waits: the owner sees the effect as events.
#[derive(Clone, Debug)]
pub struct Control(Arc<watch::Sender<Wishes>>);

/// What the holders of a [`Control`] want.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wishes {
    pub(crate) paused: bool,
    /// Counts calls of `retry_now`.
    pub(crate) retries: u64,
}

impl Control {
    /// Makes a control that steers nothing yet; for [`Ingest::with_control`](crate::Ingest::with_control).
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Wishes::default())))
    }

    pub(crate) fn wishes(&self) -> watch::Receiver<Wishes> {
        self.0.subscribe()
    }

    /// Cuts the present wait between two attempts short. Does nothing at other times.
    pub fn retry_now(&self) {
        self.0.send_modify(|wishes| wishes.retries += 1);
    }

    /// Closes the connection and makes no new one until [`resume`](Self::resume).
    pub fn pause(&self) {
        self.set_paused(true);
    }

    /// Ends a [`pause`](Self::pause): connects at once.
    pub fn resume(&self) {
        self.set_paused(false);
    }

    /// Whether [`pause`](Self::pause) was called last.
    pub fn is_paused(&self) -> bool {
        self.0.borrow().paused
    }

    fn set_paused(&self, paused: bool) {
        self.0
            .send_if_modified(|wishes| std::mem::replace(&mut wishes.paused, paused) != paused);
    }
}

impl Default for Control {
    fn default() -> Self {
        Self::new()
    }
}
