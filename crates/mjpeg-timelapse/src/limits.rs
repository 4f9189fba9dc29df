//! The limits of a store. Each is a named constant, so that an error can state it.

use std::{ops::RangeInclusive, time::Duration};

use mjpeg_mux::ClipPlan;

/// The most jobs of a store, damaged ones included.
pub(crate) const MAX_JOBS: usize = 100;

/// The most frames of a job: a frame a minute for almost two years. The index of a full job takes
/// 32 MB.
pub(crate) const MAX_FRAMES: u64 = 1_000_000;

/// The fewest bytes of a frame. A movie takes none with less.
pub(crate) const MIN_FRAME_BYTES: usize = ClipPlan::MIN_FRAME_BYTES;

/// The most bytes of a frame.
pub(crate) const MAX_FRAME_BYTES: usize = 64 << 20;

/// The most frames that are kept at once. The records of so many take half a page of a file.
pub(crate) const MAX_BATCH_FRAMES: usize = 64;

/// The most bytes of a text: the name of a stream, a title, an event, the reason of an end.
pub(crate) const MAX_TEXT_BYTES: usize = 256;

/// The most bytes of `job.json`, and what a job takes of the quota besides its frames. Four texts
/// of which each byte is escaped take half of it.
pub(crate) const JOB_BYTES: u64 = 4096;

/// The shortest and the longest time between two frames.
pub(crate) const EVERY: RangeInclusive<Duration> =
    Duration::from_millis(1)..=Duration::from_secs(366 * 24 * 60 * 60);

/// The frames per second of a movie.
pub(crate) const FPS: RangeInclusive<u32> = 1..=120;

/// How many bytes of an index are read at once: 2048 records.
pub(crate) const WINDOW_BYTES: usize = 64 << 10;
