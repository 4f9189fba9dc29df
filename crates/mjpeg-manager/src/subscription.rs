//! Frames for the program itself.

use std::sync::Arc;

use mjpeg_fanout::{Consumer, Published, Viewing};

/// Takes the frames of a stream, each time the newest, from
/// [`Manager::subscribe`](crate::Manager::subscribe).
///
/// While it lives it counts as a viewer: a stream [on demand](crate::StreamSpec::with_on_demand)
/// connects its camera for it. A clone is a new subscription that has had no frame yet.
#[derive(Debug)]
pub struct Subscription {
    consumer: Consumer,
    viewing: Viewing,
}

impl Subscription {
    pub(crate) fn new(consumer: Consumer) -> Self {
        let viewing = consumer.viewing();
        Self { consumer, viewing }
    }

    /// Waits for a frame newer than the last one taken, and takes the newest. Returns `None` when
    /// the stream was stopped.
    ///
    /// It may be the stream's [placeholder](Published::is_placeholder).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a dropped future has taken nothing.
    pub async fn next(&mut self) -> Option<Arc<Published>> {
        self.consumer.next().await
    }

    /// Returns the newest frame, taken or not, without waiting.
    pub fn latest(&self) -> Option<Arc<Published>> {
        self.consumer.latest()
    }

    /// Returns the consumer, to read status, interval and the like.
    pub fn consumer(&self) -> &Consumer {
        &self.consumer
    }

    /// Separates the consumer from the guard that makes it count as a viewer.
    pub fn into_parts(self) -> (Consumer, Viewing) {
        (self.consumer, self.viewing)
    }
}

impl Clone for Subscription {
    fn clone(&self) -> Self {
        Self::new(self.consumer.clone())
    }
}
