//! The end that takes frames.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use crate::{Published, Rhythm, Status, Viewing, published::Newest};

/// Takes frames, each time the newest. See the [crate's contract](crate#lagging).
///
/// A clone is a new consumer that has had no frame yet.
#[derive(Debug)]
pub struct Consumer {
    frames: watch::Receiver<Newest>,
    status: watch::Receiver<Status>,
    viewers: Arc<watch::Sender<usize>>,
    rhythm: Arc<Rhythm>,
    had: Option<u64>,
}

impl Consumer {
    pub(crate) fn new(
        frames: watch::Receiver<Newest>,
        status: watch::Receiver<Status>,
        viewers: Arc<watch::Sender<usize>>,
        rhythm: Arc<Rhythm>,
    ) -> Self {
        Self {
            frames,
            status,
            viewers,
            rhythm,
            had: None,
        }
    }

    /// Waits for a frame newer than the last one taken, and takes the newest there is.
    ///
    /// `None` when the producer is gone and its last frame was taken.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a dropped future has taken nothing.
    pub async fn next(&mut self) -> Option<Arc<Published>> {
        loop {
            if let Some(published) = &self.frames.borrow_and_update().shown
                && self.had != Some(published.seq)
            {
                self.had = Some(published.seq);
                return Some(Arc::clone(published));
            }
            self.frames.changed().await.ok()?;
        }
    }

    /// The newest frame, taken or not, without waiting; or the placeholder that is shown. `None` before the first, and after
    /// [`Producer::retire`](crate::Producer::retire).
    pub fn latest(&self) -> Option<Arc<Published>> {
        self.frames.borrow().shown.clone()
    }

    /// The newest frame of the source itself, however old. `None` before the first.
    pub fn picture(&self) -> Option<Arc<Published>> {
        self.frames.borrow().picture.clone()
    }

    /// What would be shown for want of frames; its sequence number is 0. `None` where there is none.
    pub fn placeholder(&self) -> Option<Arc<Published>> {
        self.frames.borrow().placeholder.clone()
    }

    /// How the source is doing.
    pub fn status(&self) -> Status {
        *self.status.borrow()
    }

    /// How long it usually is from frame to frame; `None` before the second.
    pub fn interval(&self) -> Option<Duration> {
        self.rhythm.interval()
    }

    /// Says that frames are wanted for as long as the returned guard lives.
    pub fn viewing(&self) -> Viewing {
        Viewing::new(Arc::clone(&self.viewers))
    }

    /// How many want frames now.
    pub fn viewers(&self) -> usize {
        *self.viewers.borrow()
    }
}

impl Clone for Consumer {
    fn clone(&self) -> Self {
        Self::new(
            self.frames.clone(),
            self.status.clone(),
            Arc::clone(&self.viewers),
            Arc::clone(&self.rhythm),
        )
    }
}
