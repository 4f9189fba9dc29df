//! The bounds of a clip. Each has a name, so that an error can state it.

use std::time::Duration;

/// The most frames of a clip: a day at 46 a second. A planned frame takes 16 bytes.
pub(crate) const MAX_FRAMES: usize = 4_000_000;

/// The fewest bytes of a frame. A frame that is gone leaves a chunk header of this size in an AVI.
pub(crate) const MIN_FRAME_BYTES: usize = 8;

/// The most bytes of a frame. A few of them must fit into a segment of an AVI.
pub(crate) const MAX_FRAME_BYTES: usize = 256 << 20;

/// The longest clip. In milliseconds it fits the 32 bits of a MOV's durations.
pub(crate) const MAX_SPAN: Duration = Duration::from_secs(31 * 24 * 60 * 60);

/// The largest AVI. Its head lists the segments, of about 1 GiB each.
pub(crate) const MAX_AVI_BYTES: u64 = 1 << 40;

/// How many bytes that are no frame are made at a time, at least, where there are more to come.
pub(crate) const PIECE_BYTES: usize = 64 << 10;
