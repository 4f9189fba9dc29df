//! The error of this crate.

use std::time::Duration;

use crate::limits::{MAX_AVI_BYTES, MAX_FRAME_BYTES, MAX_FRAMES, MAX_SPAN, MIN_FRAME_BYTES};

/// Why a plan or a frame was refused. The fault is in an argument that the caller chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not the extension of a format.
    #[error("the format must be mov, avi, zip or mjpeg")]
    UnknownFormat,
    /// The plan is empty.
    #[error("a clip needs at least one frame")]
    NoFrame,
    /// The plan is full ([`ClipPlan::MAX_FRAMES`](crate::ClipPlan::MAX_FRAMES)).
    #[error("a clip can have at most {MAX_FRAMES} frames")]
    TooManyFrames,
    /// The frame has too few or too many bytes
    /// ([`ClipPlan::MAX_FRAME_BYTES`](crate::ClipPlan::MAX_FRAME_BYTES)).
    #[error("a frame must have {MIN_FRAME_BYTES} to {MAX_FRAME_BYTES} bytes, not {bytes}")]
    FrameLength {
        /// The length of the frame.
        bytes: usize,
    },
    /// The frame is earlier than the one before it.
    #[error("a frame at {at:?} cannot follow one at {last:?}")]
    Backwards {
        /// The time of the frame.
        at: Duration,
        /// The time of the frame before.
        last: Duration,
    },
    /// The frame is too long after the first one
    /// ([`ClipPlan::MAX_SPAN`](crate::ClipPlan::MAX_SPAN)).
    #[error("a clip can span at most {MAX_SPAN:?}, not {span:?}")]
    TooLong {
        /// The time from the first frame to this one.
        span: Duration,
    },
    /// The AVI would be too large ([`ClipPlan::MAX_AVI_BYTES`](crate::ClipPlan::MAX_AVI_BYTES)).
    #[error("an AVI can have at most {MAX_AVI_BYTES} bytes, not {bytes}")]
    AviTooLarge {
        /// The approximate length of the file in bytes.
        bytes: u64,
    },
    /// A frame was pushed that [`Muxer::poll`](crate::Muxer::poll) has not asked for.
    #[error("a frame was pushed that was not asked for")]
    NotAsked,
    /// The frame does not have the length that the plan states.
    #[error("frame {index} has {bytes} bytes, but {planned} were planned")]
    NotAsPlanned {
        /// The frame's index in the plan.
        index: usize,
        /// The length that the plan states.
        planned: usize,
        /// The length of the frame.
        bytes: usize,
    },
}
