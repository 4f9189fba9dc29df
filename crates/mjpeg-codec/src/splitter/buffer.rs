//! The splitter's buffer: filled at one end, emptied at the other.

use std::{fmt, sync::Arc};

use bytes::Bytes;

use super::pool::{Pool, Pooled};
use crate::work;

/// The bytes received and not yet reported.
///
/// ```text
///   bytes: │ released │ data          │ room to fill │
///          0        start            end          len
/// ```
///
/// A long frame leaves together with the whole buffer it lies in, and reading continues in another
/// one. When the last holder drops the frame, its buffer returns to the pool. A long frame
/// therefore costs no copy, and steady reading neither allocates nor clears memory.
pub(super) struct Buffer {
    /// Initialized throughout, so that a reader may fill any part of it.
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    pool: Arc<Pool>,
    /// The bytes copied and cleared, until somebody asks.
    work: usize,
}

impl Buffer {
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::new(),
            start: 0,
            end: 0,
            pool: Arc::default(),
            work: 0,
        }
    }

    pub(super) fn data(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Returns how many bytes were moved since the last call.
    pub(super) fn take_work(&mut self) -> usize {
        std::mem::take(&mut self.work)
    }

    fn count(&mut self, moved_bytes: usize) {
        work::count(moved_bytes);
        self.work += moved_bytes;
    }

    /// Returns how much memory the buffer and its pool take, without the buffers of held frames.
    #[cfg(feature = "__fuzzing")]
    pub(super) fn size_bytes(&self) -> usize {
        self.bytes.len() + self.pool.size_bytes()
    }

    /// Returns as much of the data as one frame may have. The verdict on a frame that is too large
    /// therefore does not depend on how many bytes came after the limit.
    pub(super) fn window(&self, max_frame_bytes: usize) -> &[u8] {
        let data = self.data();
        &data[..data.len().min(max_frame_bytes)]
    }

    /// Returns at least `len` bytes of room.
    pub(super) fn spare_mut(&mut self, len: usize) -> &mut [u8] {
        self.reserve(len);
        &mut self.bytes[self.end..self.end + len]
    }

    /// Adds the first `n` bytes of the room to the data.
    ///
    /// # Panics
    ///
    /// If `n` exceeds the length of that room.
    pub(super) fn filled(&mut self, n: usize) {
        assert!(
            n <= self.bytes.len() - self.end,
            "more bytes filled than spare_mut gave"
        );
        self.end += n;
    }

    pub(super) fn extend(&mut self, chunk: &[u8]) {
        self.spare_mut(chunk.len()).copy_from_slice(chunk);
        self.filled(chunk.len());
    }

    /// Drops the first `len` bytes of the data.
    pub(super) fn advance(&mut self, len: usize) {
        self.start += len;
        debug_assert!(self.start <= self.end);
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Takes the first `len` bytes of the data. Also returns the size of the buffer that they keep.
    pub(super) fn take(&mut self, len: usize) -> (Bytes, usize) {
        if len < SMALL_BYTES || self.bytes.len() / MOST_WASTE > len {
            self.count(len);
            let copy = Bytes::copy_from_slice(&self.data()[..len]);
            self.advance(len);
            return (copy, len);
        }
        let rest = self.start + len..self.end;
        // The next frame will be about as long, and one more read to its end needs room, too.
        let mut next = self.pool.take((len + len / 8).max(rest.len()) + ROOM_BYTES);
        self.count(rest.len());
        next[..rest.len()].copy_from_slice(&self.bytes[rest.clone()]);
        let full = std::mem::replace(&mut self.bytes, next);
        let taken = self.start..rest.start;
        (self.start, self.end) = (0, rest.len());
        let size = full.len();
        (Pooled::share(full, &self.pool).slice(taken), size)
    }

    /// Makes room for `len` bytes after the data.
    fn reserve(&mut self, len: usize) {
        if self.bytes.len() - self.end >= len {
            return;
        }
        let held = self.start..self.end;
        self.count(held.len());
        // Each move costs no more than the bytes released since the last one, so that all moves
        // together stay proportional to the bytes.
        if held.len() <= self.start && self.bytes.len() - held.len() >= len {
            self.bytes.copy_within(held.clone(), 0);
        } else {
            let mut larger = self.pool.take(2 * held.len() + len.max(ROOM_BYTES));
            larger[..held.len()].copy_from_slice(&self.bytes[held.clone()]);
            self.bytes = larger;
        }
        (self.start, self.end) = (0, held.len());
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (held, size) = (self.data().len(), self.bytes.len());
        write!(f, "Buffer {{ {held} of {size} bytes, {:?} }}", self.pool)
    }
}

/// Shorter frames are copied out. That costs less than changing buffers, and keeps no more memory
/// than the frame has.
const SMALL_BYTES: usize = 64 << 10;

/// The most memory that a frame may keep, as a multiple of its length. If its buffer is larger, the
/// frame is copied out.
const MOST_WASTE: usize = 3;

/// The least room of a new buffer, in addition to its known contents.
const ROOM_BYTES: usize = 64 << 10;
