//! The end that publishes.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Instant, SystemTime},
};

use mjpeg_codec::Frame;
use tokio::sync::watch;

use crate::{Demand, Published, Rhythm, Status};

/// Publishes frames. Dropping it closes the fan-out.
#[derive(Debug)]
pub struct Producer {
    frames: watch::Sender<Option<Arc<Published>>>,
    status: watch::Sender<Status>,
    viewers: Arc<watch::Sender<usize>>,
    rhythm: Arc<Rhythm>,
    /// The last sequence number and time. A lock, so that numbers and frames go out in the same order whoever publishes.
    last: Mutex<(u64, Option<Instant>)>,
    epoch: u64,
}

impl Producer {
    pub(crate) fn new(
        frames: watch::Sender<Option<Arc<Published>>>,
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

    /// Publishes a frame that was captured at the given times, and returns its sequence number. Never waits.
    pub fn publish(&self, frame: Frame, wall: SystemTime, mono: Instant) -> u64 {
        // Nothing under this lock can panic and leave the number wrong.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (seq, before) = &mut *last;
        *seq += 1;
        if let Some(before) = before.replace(mono) {
            self.rhythm.beat(mono.saturating_duration_since(before));
        }
        self.frames.send_replace(Some(Arc::new(Published::new(
            *seq, self.epoch, frame, wall, mono,
        ))));
        *seq
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
