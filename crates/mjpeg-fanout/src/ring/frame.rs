//! A frame of a ring.

use mjpeg_codec::{Frame, FrameId, Stamp};
use tokio::time::Instant;

use crate::published::Published;

/// A frame of a [`ReplayRing`](crate::ReplayRing). As long as somebody holds it, its memory counts
/// as the ring's.
#[derive(Clone, Debug)]
pub struct RingFrame {
    pub(crate) number: u64,
    pub(crate) at: Instant,
    pub(crate) id: FrameId,
    pub(crate) frame: Frame,
    pub(crate) stamp: Stamp,
    pub(crate) seq: u64,
    pub(crate) epoch: u64,
    /// The number of the segment that holds its bytes.
    pub(crate) segment: u64,
}

impl RingFrame {
    /// Returns its number within the ring. Numbers grow, with gaps where frames were left out.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Returns when it was captured. This is never earlier than for the frame before it.
    pub fn at(&self) -> Instant {
        self.at
    }

    /// Returns its identity, which is that of the [published](Published::id) frame.
    pub fn id(&self) -> FrameId {
        self.id
    }

    /// Returns the image.
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// Returns the time of capture.
    pub fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// Returns it as it was published, for a viewer.
    pub fn published(&self) -> Published {
        Published::new(self.seq, self.epoch, self.frame.clone(), self.stamp)
    }
}
