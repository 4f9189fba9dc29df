//! Pausing, resuming and retrying from elsewhere.

use std::{
    fmt,
    future::pending,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::sync::watch;

/// Pauses, resumes and retries an [`Ingest`](crate::Ingest) while its owner pulls events.
///
/// From [`Ingest::control`](crate::Ingest::control). Cheap to clone; all clones control the same
/// ingest. The calls take effect at once and do not wait; the owner of the ingest sees the effect
/// as events. [`changed`](Self::changed) waits for a call on any clone.
///
/// ```
/// # use mjpeg_ingest::Control;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let control = Control::new();
/// let mut watching = control.clone();
/// control.pause();
/// watching.changed().await;
/// assert!(watching.is_paused());
/// # }
/// ```
#[derive(Clone)]
pub struct Control {
    sender: Arc<watch::Sender<Commands>>,
    /// Knows which calls this clone has seen.
    seen: watch::Receiver<Commands>,
}

/// The calls so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Commands {
    pub(crate) paused: bool,
    /// Counts calls of `retry_now`.
    pub(crate) retries: u64,
}

impl Control {
    /// Makes a control without an ingest, for
    /// [`Ingest::with_control`](crate::Ingest::with_control).
    pub fn new() -> Self {
        let (sender, seen) = watch::channel(Commands::default());
        Self {
            sender: Arc::new(sender),
            seen,
        }
    }

    /// Ends the current wait between two attempts. Does nothing at other times.
    pub fn retry_now(&self) {
        self.sender.send_modify(|commands| commands.retries += 1);
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
        self.commands().paused
    }

    /// Waits for a call that pauses, resumes or retries, on any clone.
    ///
    /// Returns at once for a call since this clone last returned from `changed`. A new clone has
    /// seen what its original had seen. Several calls may count as one; pausing what is paused is
    /// not a change.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a call that was not reported yet is reported by the next `changed`.
    pub async fn changed(&mut self) {
        if self.seen.changed().await.is_err() {
            // Impossible: this clone holds the sender.
            pending().await
        }
    }

    pub(crate) fn commands(&self) -> Commands {
        *self.sender.borrow()
    }

    pub(crate) fn wakeups(&self) -> Wakeups {
        Wakeups(Box::pin(changed(self.sender.subscribe())))
    }

    fn set_paused(&self, paused: bool) {
        self.sender
            .send_if_modified(|commands| std::mem::replace(&mut commands.paused, paused) != paused);
    }
}

impl Default for Control {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Control").field(&self.commands()).finish()
    }
}

/// Wakes a task when a control is called, for code that polls.
pub(crate) struct Wakeups(Pin<Box<dyn Future<Output = watch::Receiver<Commands>> + Send>>);

impl Wakeups {
    /// Registers the task to be woken by the next call. Read the commands after this, not before.
    pub(crate) fn register(&mut self, cx: &mut Context<'_>) {
        // Another call may come between the end of one wait and the registration of the next.
        while let Poll::Ready(receiver) = self.0.as_mut().poll(cx) {
            self.0 = Box::pin(changed(receiver));
        }
    }
}

async fn changed(mut receiver: watch::Receiver<Commands>) -> watch::Receiver<Commands> {
    if receiver.changed().await.is_err() {
        // No control is left to be called.
        pending().await
    }
    receiver
}
