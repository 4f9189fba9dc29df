//! Where frames go: through the pipeline to the consumers, and into the record.

use std::sync::Arc;

use mjpeg_codec::{Frame, Stamp};
use mjpeg_fanout::{Consumer, Producer, Status};
use tokio::task::yield_now;

use crate::{
    status::monitor::Monitor,
    stream::pipeline::{Pipeline, Processed},
};

/// The publishing end of one stream. Dropping it ends the stream for all consumers.
#[derive(Debug)]
pub(crate) struct Sink {
    pub(crate) monitor: Arc<Monitor>,
    pub(crate) producer: Producer,
    consumer: Consumer,
    /// Tells the stream's task that the program has published a picture.
    #[cfg(feature = "detect")]
    fed: tokio::sync::Notify,
}

impl Sink {
    pub(crate) fn new(monitor: Arc<Monitor>, producer: Producer, consumer: Consumer) -> Self {
        Self {
            monitor,
            producer,
            consumer,
            #[cfg(feature = "detect")]
            fed: tokio::sync::Notify::new(),
        }
    }

    /// Publishes a frame of the program, or counts why it is held back, however long its check
    /// takes.
    pub(crate) fn frame(&self, frame: Frame, stamp: Stamp, pipeline: Pipeline) {
        self.monitor.received(frame.bytes().len() as u64);
        self.processed(pipeline.process(frame), stamp);
        #[cfg(feature = "detect")]
        self.fed.notify_one();
    }

    /// Does the same with a camera's frame, in slices. Other tasks have their turn in between: a
    /// camera decides how long the check of its frames takes.
    pub(crate) async fn frame_in_slices(&self, frame: Frame, stamp: Stamp, pipeline: Pipeline) {
        self.monitor.received(frame.bytes().len() as u64);
        let mut processing = pipeline.begin(frame);
        let processed = loop {
            match processing.step() {
                Some(processed) => break processed,
                None => yield_now().await,
            }
        };
        self.processed(processed, stamp);
    }

    /// Waits until the program has published a frame since this was last waited for.
    #[cfg(feature = "detect")]
    pub(crate) async fn fed(&self) {
        self.fed.notified().await;
    }

    /// Returns the newest picture of the source.
    #[cfg(feature = "detect")]
    pub(crate) fn picture(&self) -> Option<Arc<mjpeg_fanout::Published>> {
        self.consumer.picture()
    }

    fn processed(&self, processed: Processed, stamp: Stamp) {
        match processed {
            Processed::Publish { frame, repairs } => {
                let motion = self.monitor.published(&frame, repairs);
                // Before the frame, so that nobody takes it and reads the status of before.
                self.sync_status();
                self.producer.publish(frame, stamp);
                if let Some(motion) = motion {
                    self.monitor.report_motion(motion);
                }
            }
            Processed::Discard { reason, bytes } => {
                self.monitor.discarded(reason.as_str(), bytes);
            }
        }
        self.sync_status();
    }

    /// Passes the stream's state on to the consumers.
    pub(crate) fn sync_status(&self) {
        // Under the record's lock, so that of two calls the later one has the last word.
        let record = self.monitor.record();
        let status = match (self.consumer.status(), record.fanout_status()) {
            // It is connected because somebody wants frames, and may have a picture soon.
            (Status::Idle | Status::Starting, Status::Connecting) => Status::Starting,
            (_, status) => status,
        };
        if self.consumer.status() != status {
            self.producer.set_status(status);
        }
    }
}
