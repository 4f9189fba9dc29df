//! The splitter's buffer: filled at one end, taken from at the other.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;

use crate::work;

/// Bytes received and not yet reported.
///
/// A long frame leaves with the whole buffer it lies in, and reading goes on in another one; when the last holder of the frame lets
/// it go, its buffer comes back to be filled again. So a long frame costs no copy, and steady reading neither
/// allocates nor clears memory.
#[derive(Debug)]
pub(super) struct Buffer {
    /// All of it may be filled; none of it is ever left uninitialized.
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    idle: Arc<Idle>,
}

impl Buffer {
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::new(),
            start: 0,
            end: 0,
            idle: Arc::default(),
        }
    }

    pub(super) fn data(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// How much memory it takes, what is held elsewhere aside.
    #[cfg(feature = "__fuzzing")]
    pub(super) fn size_bytes(&self) -> usize {
        let idle: usize = self.idle.shelf().buffers.iter().map(Vec::len).sum();
        self.bytes.len() + idle
    }

    /// What may be looked at of the frame in hand: no more than a frame may have, so that the verdict on one that is too
    /// large does not depend on how much has come beyond the limit.
    pub(super) fn window(&self, max_frame_bytes: usize) -> &[u8] {
        let data = self.data();
        &data[..data.len().min(max_frame_bytes)]
    }

    /// At least `len` bytes of room.
    pub(super) fn spare_mut(&mut self, len: usize) -> &mut [u8] {
        self.reserve(len);
        &mut self.bytes[self.end..self.end + len]
    }

    /// # Panics
    ///
    /// When that is more than there was room for.
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

    /// Lets the first `len` bytes go.
    pub(super) fn advance(&mut self, len: usize) {
        self.start += len;
        debug_assert!(self.start <= self.end);
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Takes the first `len` bytes, and returns them with the size of the buffer they keep.
    pub(super) fn take(&mut self, len: usize) -> (Bytes, usize) {
        if len < SMALL_BYTES || self.bytes.len() / MOST_WASTE > len {
            work::count(len);
            let copy = Bytes::copy_from_slice(&self.data()[..len]);
            self.advance(len);
            return (copy, len);
        }
        let rest = self.start + len..self.end;
        // The next frame will be about as long; beside it, there must be room for one more read to the end.
        let mut next = self.idle.take((len + len / 8).max(rest.len()) + ROOM_BYTES);
        work::count(rest.len());
        next[..rest.len()].copy_from_slice(&self.bytes[rest.clone()]);
        let full = Lease {
            bytes: std::mem::replace(&mut self.bytes, next),
            home: Arc::downgrade(&self.idle),
        };
        let taken = self.start..rest.start;
        (self.start, self.end) = (0, rest.len());
        let size = full.bytes.len();
        (Bytes::from_owner(full).slice(taken), size)
    }

    /// Makes room for `len` more bytes after those received.
    fn reserve(&mut self, len: usize) {
        if self.bytes.len() - self.end >= len {
            return;
        }
        let held = self.start..self.end;
        work::count(held.len());
        // Moving no more than was let go since the last time keeps the moves in proportion to the bytes.
        if held.len() <= self.start && self.bytes.len() - held.len() >= len {
            self.bytes.copy_within(held.clone(), 0);
        } else {
            let mut larger = self.idle.take(2 * held.len() + len.max(ROOM_BYTES));
            larger[..held.len()].copy_from_slice(&self.bytes[held.clone()]);
            self.bytes = larger;
        }
        (self.start, self.end) = (0, held.len());
    }
}

/// Buffers whose frames everybody has let go of.
#[derive(Debug, Default)]
struct Idle(Mutex<Shelf>);

#[derive(Debug, Default)]
struct Shelf {
    buffers: Vec<Vec<u8>>,
    /// The size last asked for. Buffers much larger than this are not worth keeping.
    wanted: usize,
}

impl Idle {
    /// A buffer of at least `len` bytes, with any content.
    fn take(&self, len: usize) -> Vec<u8> {
        // In steps, so that frames of slightly different sizes can use the same buffers.
        let len = len.next_multiple_of(ROOM_BYTES);
        let mut shelf = self.shelf();
        shelf.wanted = len;
        let found = shelf.buffers.iter().position(|b| shelf.suits(b));
        match found {
            Some(i) => shelf.buffers.swap_remove(i),
            None => {
                // What did not suit this time will hardly suit the next time.
                shelf.buffers.clear();
                drop(shelf);
                vec![0; len]
            }
        }
    }

    fn give_back(&self, buffer: Vec<u8>) {
        let mut shelf = self.shelf();
        if shelf.buffers.len() < MOST_IDLE && shelf.suits(&buffer) {
            shelf.buffers.push(buffer);
        }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    fn suits(&self, buffer: &[u8]) -> bool {
        (self.wanted..=2 * self.wanted).contains(&buffer.len())
    }
}

/// A buffer that frames are slices of. Goes back where it came from when the last of them is dropped.
struct Lease {
    bytes: Vec<u8>,
    home: Weak<Idle>,
}

impl AsRef<[u8]> for Lease {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(home) = self.home.upgrade() {
            home.give_back(std::mem::take(&mut self.bytes));
        }
    }
}

/// Frames shorter than this are copied out: that costs less than to change buffers, and keeps no more memory than the frame has.
const SMALL_BYTES: usize = 64 << 10;

/// How many times its own size a frame may keep in memory; a shorter one is copied out.
const MOST_WASTE: usize = 3;

/// The least room of a new buffer, beside what it is known to hold.
const ROOM_BYTES: usize = 64 << 10;

/// How many buffers wait to be filled again. A fan-out holds the latest frame while the next is read; slow consumers hold some more.
const MOST_IDLE: usize = 4;
