//! What a producer and its consumers share besides frames.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use crate::{interval::Interval, recorder::Recorders};

/// One per fan-out.
#[derive(Debug)]
pub(crate) struct Shared {
    /// How many consumers want frames.
    pub(crate) viewers: Arc<watch::Sender<usize>>,
    pub(crate) recorders: Recorders,
    interval: Interval,
}

impl Shared {
    pub(crate) fn new() -> Self {
        Self {
            viewers: Arc::new(watch::channel(0).0),
            recorders: Recorders::default(),
            interval: Interval::default(),
        }
    }

    /// The usual time between frames; `None` before the second.
    pub(crate) fn interval(&self) -> Option<Duration> {
        self.interval.mean()
    }

    /// Records the time between two frames.
    pub(crate) fn record_interval(&self, since_last: Duration) {
        self.interval.record(since_last);
    }
}
