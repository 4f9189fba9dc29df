//! A frame of a ring.

use mjpeg_codec::{Frame, FrameId, Stamp};
use tokio::time::Instant;

use crate::published::Published;

/// A frame of a [`ReplayRing`](crate::ReplayRing). While it is held, its memory counts in the
/// ring's.
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
    /// Its number within the ring. Numbers grow, with gaps where frames were thinned out.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// When it was captured. Never before the frame before it.
    pub fn at(&self) -> Instant {
        self.at
    }

    /// Its identity, as that of the [published](Published::id) frame.
    pub fn id(&self) -> FrameId {
        self.id
    }

    /// The image.
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// The time of capture.
    pub fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// Returns it as it was published, for a viewer.
    pub fn published(&self) -> Published {
        Published::new(self.seq, self.epoch, self.frame.clone(), self.stamp)
    }
}
