//! What a producer and its consumers share besides frames.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use mjpeg_codec::multipart::Via;
use tokio::sync::watch;

use crate::{interval::Interval, recorder::Recorders};

/// One per fan-out.
#[derive(Debug)]
pub(crate) struct Shared {
    /// How many consumers want frames.
    pub(crate) viewers: Arc<watch::Sender<usize>>,
    pub(crate) recorders: Recorders,
    interval: Interval,
    /// The relays that the source's frames come through.
    via: Mutex<Via>,
}

impl Shared {
    pub(crate) fn new() -> Self {
        Self {
            viewers: Arc::new(watch::channel(0).0),
            recorders: Recorders::default(),
            interval: Interval::default(),
            via: Mutex::default(),
        }
    }

    /// The usual time between frames; `None` before the second.
    pub(crate) fn interval(&self) -> Option<Duration> {
        self.interval.mean()
    }

    /// The relays that the source's frames come through.
    pub(crate) fn via(&self) -> Via {
        let via = self.via.lock();
        via.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_via(&self, via: Via) {
        *self.via.lock().unwrap_or_else(PoisonError::into_inner) = via;
    }

    /// Records the time between two frames.
    pub(crate) fn record_interval(&self, since_last: Duration) {
        self.interval.record(since_last);
    }
}
