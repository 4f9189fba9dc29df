//! A piece of memory that holds several frames.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::ring::memory::MemoryTicket;

/// A piece of memory that holds several frames. It is given back when the last of them is dropped.
///
/// The end of a segment, into which the next frame does not fit, is never written. The kernel gives
/// memory for what is written only, so the end does not count once the segment is full.
#[derive(Debug)]
pub(super) struct RingSegment {
    free: BytesMut,
    /// How many bytes may still be taken. It is less than what is free: see [`PER_FRAME`].
    left: usize,
    ticket: Arc<MemoryTicket>,
}

/// A frame's bytes in a segment.
struct SegmentSlice {
    bytes: Bytes,
    _ticket: Arc<MemoryTicket>,
}

impl AsRef<[u8]> for SegmentSlice {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl RingSegment {
    pub(super) fn new(ticket: MemoryTicket) -> Self {
        Self {
            free: BytesMut::with_capacity(ticket.bytes() - PER_FRAME),
            left: ticket.bytes(),
            ticket: Arc::new(ticket),
        }
    }

    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.left >= bytes + PER_FRAME
    }

    /// Copies a frame. There must be room for it.
    pub(super) fn copy(&mut self, bytes: &[u8]) -> Bytes {
        self.left -= bytes.len() + PER_FRAME;
        self.free.extend_from_slice(bytes);
        Bytes::from_owner(SegmentSlice {
            bytes: self.free.split().freeze(),
            _ticket: Arc::clone(&self.ticket),
        })
    }
}

impl Drop for RingSegment {
    /// No more frames come. Those that it has keep what they take.
    fn drop(&mut self) {
        self.ticket.shrink_to(self.ticket.bytes() - self.left);
    }
}

/// Returns the length of a segment for a frame of this length. It is long enough for several
/// frames, but longer than `most` only if this frame needs it.
pub(super) fn segment_bytes(frame: usize, most: usize) -> usize {
    SEGMENT_BYTES.min(most).max(frame + PER_FRAME)
}

/// Long enough that little memory is left over at the end, and short enough that few frames are
/// dropped together.
const SEGMENT_BYTES: usize = 1 << 20;

/// What a frame takes besides its bytes: its entry in the ring, and its reference to the segment.
const PER_FRAME: usize = 512;
