//! Streams whose frames come from the program instead of a source.

use std::sync::{Arc, Weak};

use mjpeg_codec::{Frame, Stamp};
use tokio::sync::{oneshot, watch};

use crate::{
    spec::StreamSpec,
    stream::{pipeline::Pipeline, sink::Sink},
};

/// Publishes the frames of a [fed](StreamSpec::fed) stream, from
/// [`Manager::start_fed`](crate::Manager::start_fed).
///
/// Dropping it ends the source of the stream, as the end of a recording would: viewers keep the
/// last frame, then get the placeholder, until the stream is stopped.
#[derive(Debug)]
pub struct Publisher {
    sink: Weak<Sink>,
    spec: watch::Receiver<Arc<StreamSpec>>,
    /// Dropped together with the publisher, which the stream's task notices.
    _alive: oneshot::Sender<()>,
}

/// The stream was stopped and takes no more frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stream was stopped")]
#[non_exhaustive]
pub struct StreamStopped;

impl Publisher {
    /// Makes a publisher, and a receiver that fails when the publisher is dropped.
    pub(crate) fn new(
        sink: &Arc<Sink>,
        spec: watch::Receiver<Arc<StreamSpec>>,
    ) -> (Self, oneshot::Receiver<()>) {
        let (alive, dropped) = oneshot::channel();
        let publisher = Self {
            sink: Arc::downgrade(sink),
            spec,
            _alive: alive,
        };
        (publisher, dropped)
    }

    /// Publishes a frame that was captured at the given time. Never waits.
    ///
    /// The frame is filtered, checked and repaired as the stream's spec says. A frame that is held
    /// back is counted in [`StreamInfo::discarded`](crate::StreamInfo::discarded) and is no error.
    ///
    /// # Errors
    ///
    /// [`StreamStopped`].
    pub fn publish(&self, frame: Frame, stamp: Stamp) -> Result<(), StreamStopped> {
        let sink = self.sink.upgrade().ok_or(StreamStopped)?;
        sink.monitor.fed();
        let pipeline = Pipeline::of(&self.spec.borrow());
        sink.frame(frame, stamp, pipeline);
        Ok(())
    }

    /// Waits until the viewers that were ready for the latest frame have taken it, then publishes
    /// the next one as [`publish`](Self::publish) does.
    ///
    /// For frames that come together: each would replace the one before it unseen. Waits as
    /// [`Producer::taken`](mjpeg_fanout::Producer::taken) does: at most 100 ms.
    ///
    /// # Errors
    ///
    /// [`StreamStopped`].
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: dropping the future loses the frame.
    pub async fn publish_next(&self, frame: Frame, stamp: Stamp) -> Result<(), StreamStopped> {
        if let Some(sink) = self.sink.upgrade() {
            sink.producer.taken().await;
        }
        self.publish(frame, stamp)
    }
}
