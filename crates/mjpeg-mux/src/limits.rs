//! The limits of a clip. Each is a named constant, so that an error can state it.

use std::time::Duration;

/// The most frames of a clip: one day at 46 frames a second. A planned frame takes 16 bytes.
pub(crate) const MAX_FRAMES: usize = 4_000_000;

/// The fewest bytes of a frame. In an AVI, the place of a missing frame needs room for a chunk
/// header of this size.
pub(crate) const MIN_FRAME_BYTES: usize = 8;

/// The most bytes of a frame. A few of them must fit into a segment of an AVI.
pub(crate) const MAX_FRAME_BYTES: usize = 256 << 20;

/// The longest clip. In milliseconds, it fits into the 32 bits of a duration in a MOV.
pub(crate) const MAX_SPAN: Duration = Duration::from_secs(31 * 24 * 60 * 60);

/// The largest AVI. Its head lists the segments, of about 1 GiB each.
pub(crate) const MAX_AVI_BYTES: u64 = 1 << 40;

/// The shortest piece of bytes that are not a frame, as long as more of them follow.
pub(crate) const PIECE_BYTES: usize = 64 << 10;
