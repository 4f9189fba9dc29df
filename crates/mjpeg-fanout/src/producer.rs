//! The end that publishes.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use mjpeg_codec::{Frame, Stamp};
use tokio::sync::watch;

use crate::{Demand, Published, Rhythm, Status, published::Newest};

/// Publishes frames. Dropping it closes the fan-out.
#[derive(Debug)]
pub struct Producer {
    frames: watch::Sender<Newest>,
    status: watch::Sender<Status>,
    viewers: Arc<watch::Sender<usize>>,
    rhythm: Arc<Rhythm>,
    /// The last sequence number and time. A lock, so that numbers and frames go out in the same order whoever publishes.
    last: Mutex<(u64, Option<Instant>)>,
    epoch: u64,
}

impl Producer {
    pub(crate) fn new(
        frames: watch::Sender<Newest>,
        status: watch::Sender<Status>,
        viewers: Arc<watch::Sender<usize>>,
        rhythm: Arc<Rhythm>,
        epoch: u64,
    ) -> Self {
        Self {
            frames,
            status,
            viewers,
            rhythm,
            last: Mutex::default(),
            epoch,
        }
    }

    /// Publishes a frame that was captured at the given time, and returns its sequence number. Never waits.
    pub fn publish(&self, frame: Frame, stamp: Stamp) -> u64 {
        // Nothing under this lock can panic and leave the number wrong.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (seq, before) = &mut *last;
        *seq += 1;
        if let Some(before) = before.replace(stamp.monotonic()) {
            self.rhythm
                .beat(stamp.monotonic().saturating_duration_since(before));
        }
        let published = Arc::new(Published::new(*seq, self.epoch, frame, stamp));
        self.frames.send_modify(|newest| {
            newest.shown = Some(Arc::clone(&published));
            newest.picture = Some(published);
        });
        *seq
    }

    /// Keeps a placeholder ready, made at the given time, in place of the one before. If that one is shown, the new one is shown at once.
    pub fn set_placeholder(&self, frame: Frame, stamp: Stamp) {
        let mut placeholder = Published::new(0, self.epoch, frame, stamp);
        placeholder.is_placeholder = true;
        let placeholder = Arc::new(placeholder);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        self.frames.send_if_modified(|newest| {
            newest.placeholder = Some(placeholder);
            let shown = newest.shown.as_ref();
            // Nobody waits for what is not shown.
            shown.is_some_and(|shown| shown.is_placeholder) && newest.show_placeholder(&mut last.0)
        });
    }

    /// Shows the placeholder to all consumers as the newest frame, until the next frame is published. Does nothing without one.
    pub fn show_placeholder(&self) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        self.frames
            .send_if_modified(|newest| newest.show_placeholder(&mut last.0));
    }

    /// Takes the newest frame, or the placeholder, from those who come from now on: they wait for the next one.
    /// [`Consumer::picture`](crate::Consumer::picture) still gives it.
    pub fn retire(&self) {
        self.frames.send_if_modified(|newest| {
            newest.shown = None;
            // There is nothing new to take.
            false
        });
    }

    /// Tells the consumers how the source is doing.
    pub fn set_status(&self, status: Status) {
        self.status.send_replace(status);
    }

    /// A view of how many consumers want frames.
    pub fn demand(&self) -> Demand {
        Demand::new(self.viewers.subscribe())
    }

    /// The number, random per producer, that goes with every frame of this one.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }
}
