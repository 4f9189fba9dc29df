//! The error of this crate.

use std::time::Duration;

use crate::limits::{MAX_AVI_BYTES, MAX_FRAME_BYTES, MAX_FRAMES, MAX_SPAN, MIN_FRAME_BYTES};

/// Why a plan or a frame was refused. The caller chose the argument at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not the extension of a format.
    #[error("the format is none of mov, avi, zip and mjpeg")]
    UnknownFormat,
    /// The plan is empty.
    #[error("a clip needs at least one frame")]
    NoFrame,
    /// The plan is full ([`ClipPlan::MAX_FRAMES`](crate::ClipPlan::MAX_FRAMES)).
    #[error("a clip has at most {MAX_FRAMES} frames")]
    TooManyFrames,
    /// The frame has too few or too many bytes
    /// ([`ClipPlan::MAX_FRAME_BYTES`](crate::ClipPlan::MAX_FRAME_BYTES)).
    #[error("a frame has {MIN_FRAME_BYTES} to {MAX_FRAME_BYTES} bytes, not {bytes}")]
    FrameLength {
        /// The length of the frame.
        bytes: usize,
    },
    /// The frame is earlier than the one before.
    #[error("a frame at {at:?} cannot follow one at {last:?}")]
    Backwards {
        /// The time of the frame.
        at: Duration,
        /// The time of the frame before.
        last: Duration,
    },
    /// The frame is too late after the first one
    /// ([`ClipPlan::MAX_SPAN`](crate::ClipPlan::MAX_SPAN)).
    #[error("a clip spans at most {MAX_SPAN:?}, not {span:?}")]
    TooLong {
        /// The time from the first frame to this one.
        span: Duration,
    },
    /// The AVI would be too large ([`ClipPlan::MAX_AVI_BYTES`](crate::ClipPlan::MAX_AVI_BYTES)).
    #[error("an AVI has at most {MAX_AVI_BYTES} bytes, not {bytes}")]
    AviTooLarge {
        /// The bytes of the file, about.
        bytes: u64,
    },
    /// A frame was pushed that [`Muxer::poll`](crate::Muxer::poll) has not asked for.
    #[error("no frame was asked for")]
    NotAsked,
    /// The frame has not the length that the plan states.
    #[error("frame {index} was planned with {planned} bytes, not {bytes}")]
    NotAsPlanned {
        /// The frame's index in the plan.
        index: usize,
        /// The length that the plan states.
        planned: usize,
        /// The length of the frame.
        bytes: usize,
    },
}
