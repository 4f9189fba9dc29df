//! Which consumers are ready for the next frame, and when they have had their turn.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Counts the turns of one fan-out.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    counts: Mutex<Counts>,
    /// Notified when the last turn of the latest frame has ended.
    taken: Notify,
}

#[derive(Debug, Default)]
struct Counts {
    /// How many frames have been published.
    frames: u64,
    /// Turns that began before the latest frame and after the one before it, and have not ended.
    owed: usize,
    /// Turns that began after the latest frame, and have not ended.
    ready: usize,
}

impl Turns {
    /// Records that a frame is about to be published: all who are ready are owed it.
    ///
    /// Who is still busy with an earlier frame is owed nothing. A consumer that is always late
    /// delays one frame and no other.
    pub(crate) fn published(&self) {
        let mut counts = self.lock();
        counts.frames += 1;
        counts.owed = std::mem::take(&mut counts.ready);
    }

    /// Whether all who were ready for the latest frame have had their turn.
    pub(crate) fn is_taken(&self) -> bool {
        self.lock().owed == 0
    }

    /// Waits until all who were ready for the latest frame have had their turn.
    ///
    /// Cancel safe.
    pub(crate) async fn taken(&self) {
        loop {
            let mut notified = std::pin::pin!(self.taken.notified());
            // Before the look, so that a turn that ends between the two is not missed.
            notified.as_mut().enable();
            if self.is_taken() {
                return;
            }
            notified.await;
        }
    }

    /// Poisoning is ignored: nothing under this lock can panic and leave a change half done.
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says that its holder is ready for the next frame, and has not finished with it; from
/// [`Consumer::turn`](crate::Consumer::turn). See [the crate's contract](crate#bursts).
#[derive(Debug)]
#[must_use = "dropping it ends the turn"]
pub struct Turn {
    turns: Arc<Turns>,
    /// How many frames had been published when it began.
    frames: u64,
}

impl Turn {
    pub(crate) fn new(turns: Arc<Turns>) -> Self {
        let mut counts = turns.lock();
        counts.ready += 1;
        let frames = counts.frames;
        drop(counts);
        Self { turns, frames }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut counts = self.turns.lock();
        match counts.frames - self.frames {
            0 => counts.ready -= 1,
            1 => {
                counts.owed -= 1;
                let is_taken = counts.owed == 0;
                drop(counts);
                if is_taken {
                    self.turns.taken.notify_waiters();
                }
            }
            // Nobody waits for it any more.
            _ => {}
        }
    }
}
