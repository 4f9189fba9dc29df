//! A pool of buffers.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use bytes::Bytes;

/// Buffers to fill again. A buffer returns to the pool when the last holder of its bytes drops
/// them.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<Free>);

/// The buffers that nobody uses.
#[derive(Default)]
struct Free {
    buffers: Vec<Vec<u8>>,
    /// The size of the latest request. Much larger buffers are not worth keeping.
    wanted: usize,
}

impl Pool {
    /// Takes a buffer of at least `len` bytes, with any contents.
    pub(super) fn take(&self, len: usize) -> Vec<u8> {
        // In steps, so that frames of slightly different sizes can use the same buffers.
        let len = len.next_multiple_of(STEP_BYTES);
        let mut free = self.free();
        free.wanted = len;
        let found = free.buffers.iter().position(|b| free.suits(b));
        match found {
            Some(i) => free.buffers.swap_remove(i),
            None => {
                // Buffers that did not suit this request will hardly suit the next one.
                free.buffers.clear();
                drop(free);
                vec![0; len]
            }
        }
    }

    /// Returns how much memory the free buffers take.
    #[cfg(feature = "__fuzzing")]
    pub(super) fn size_bytes(&self) -> usize {
        self.free().buffers.iter().map(Vec::len).sum()
    }

    fn give_back(&self, buffer: Vec<u8>) {
        let mut free = self.free();
        if free.buffers.len() < MOST_FREE && free.suits(&buffer) {
            free.buffers.push(buffer);
        }
    }

    fn free(&self) -> MutexGuard<'_, Free> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Free {
    fn suits(&self, buffer: &[u8]) -> bool {
        (self.wanted..=2 * self.wanted).contains(&buffer.len())
    }
}

impl fmt::Debug for Free {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Free {{ {} buffers }}", self.buffers.len())
    }
}

/// A buffer shared as [`Bytes`]. Returns to its pool when the last of them is dropped.
pub(super) struct Pooled {
    bytes: Vec<u8>,
    pool: Weak<Pool>,
}

impl Pooled {
    /// Shares a buffer. It returns to `pool` if the pool still exists by then.
    pub(super) fn share(bytes: Vec<u8>, pool: &Arc<Pool>) -> Bytes {
        Bytes::from_owner(Self {
            bytes,
            pool: Arc::downgrade(pool),
        })
    }
}

impl AsRef<[u8]> for Pooled {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.upgrade() {
            pool.give_back(std::mem::take(&mut self.bytes));
        }
    }
}

/// The sizes of buffers are multiples of this.
const STEP_BYTES: usize = 64 << 10;

/// The most buffers that wait to be filled again. A fan-out holds the latest frame while the next
/// one is read; slow consumers hold some more.
const MOST_FREE: usize = 4;
