//! What is known about a clip before its frames are available.

use std::time::{Duration, SystemTime};

use crate::{
    error::Error,
    limits::{MAX_AVI_BYTES, MAX_FRAME_BYTES, MAX_FRAMES, MAX_SPAN, MIN_FRAME_BYTES},
};

/// What is known about a clip before it is made: the time and the length of each frame, and the
/// size and the wall-clock time of the first one. It takes 16 bytes per frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClipPlan {
    start: SystemTime,
    width: u16,
    height: u16,
    /// The first frame's time, as the caller counts.
    base: Duration,
    frames: Vec<PlannedFrame>,
}

/// A frame of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlannedFrame {
    /// Microseconds since the first frame.
    pub(crate) at_us: u64,
    pub(crate) bytes: u32,
}

impl ClipPlan {
    /// The most frames of a clip.
    pub const MAX_FRAMES: usize = MAX_FRAMES;
    /// The fewest bytes of a frame.
    pub const MIN_FRAME_BYTES: usize = MIN_FRAME_BYTES;
    /// The most bytes of a frame.
    pub const MAX_FRAME_BYTES: usize = MAX_FRAME_BYTES;
    /// The longest time from the first frame to the last.
    pub const MAX_SPAN: Duration = MAX_SPAN;
    /// The most bytes of an AVI.
    pub const MAX_AVI_BYTES: u64 = MAX_AVI_BYTES;

    /// Makes an empty plan. `start` is the wall-clock time of the first frame; `width` and `height`
    /// are its size in pixels. Players open a window of this size.
    pub fn new(start: SystemTime, width: u16, height: u16) -> Self {
        Self {
            start,
            width,
            height,
            base: Duration::ZERO,
            frames: Vec::new(),
        }
    }

    /// Adds a frame of `bytes` bytes. `at` may count from any moment, if it is the same one for all
    /// frames: only the differences matter, in microseconds.
    ///
    /// # Errors
    ///
    /// The plan is full, or the frame has too few or too many bytes, is earlier than the one before
    /// it, or is too long after the first one. The plan is then unchanged.
    pub fn push(&mut self, at: Duration, bytes: usize) -> Result<(), Error> {
        if self.frames.len() >= MAX_FRAMES {
            return Err(Error::TooManyFrames);
        }
        if !(MIN_FRAME_BYTES..=MAX_FRAME_BYTES).contains(&bytes) {
            return Err(Error::FrameLength { bytes });
        }
        let base = if self.is_empty() { at } else { self.base };
        let last = base.saturating_add(self.span());
        let span = at.checked_sub(base).unwrap_or_default();
        let at_us = micros(span);
        if at < base || at_us < micros(self.span()) {
            return Err(Error::Backwards { at, last });
        }
        if span > MAX_SPAN {
            return Err(Error::TooLong { span });
        }
        let bytes = u32::try_from(bytes).map_err(|_| Error::FrameLength { bytes })?;
        self.base = base;
        self.frames.push(PlannedFrame { at_us, bytes });
        Ok(())
    }

    /// Returns how many frames are planned.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Returns whether no frame is planned.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Returns the time from the first frame to the last.
    pub fn span(&self) -> Duration {
        let last = self.frames.last();
        last.map_or(Duration::ZERO, |frame| Duration::from_micros(frame.at_us))
    }

    /// Frees the memory that the list of frames does not use.
    pub(crate) fn shrink(&mut self) {
        self.frames.shrink_to_fit();
    }

    pub(crate) fn start(&self) -> SystemTime {
        self.start
    }

    pub(crate) fn size(&self) -> (u16, u16) {
        (self.width, self.height)
    }

    pub(crate) fn frames(&self) -> &[PlannedFrame] {
        &self.frames
    }

    /// Returns the usual interval between frames, in microseconds: the median of those that are not
    /// zero, clamped to [`INTERVALS_US`]. A single frame is shown for a second.
    pub(crate) fn interval_us(&self) -> u64 {
        let pairs = self.frames.windows(2);
        let mut steps: Vec<u64> = pairs
            .map(|pair| pair[1].at_us - pair[0].at_us)
            .filter(|step| *step > 0)
            .collect();
        if steps.is_empty() {
            return SINGLE_US;
        }
        let middle = steps.len() / 2;
        let (_, median, _) = steps.select_nth_unstable(middle);
        (*median).clamp(*INTERVALS_US.start(), *INTERVALS_US.end())
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// From a thousand frames a second to one frame an hour.
const INTERVALS_US: std::ops::RangeInclusive<u64> = 1_000..=3_600_000_000;
const SINGLE_US: u64 = 1_000_000;
