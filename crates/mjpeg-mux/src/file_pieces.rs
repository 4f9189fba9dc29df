//! The bytes to write next.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::limits::PIECE_BYTES;

/// Bytes to write. Small parts are collected into pieces. A frame is a piece of its own, without a
/// copy, after what was collected before it.
#[derive(Default)]
pub(crate) struct FilePieces {
    collected: Vec<u8>,
    ready: VecDeque<Bytes>,
}

impl FilePieces {
    /// Adds a few bytes.
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.collected.extend_from_slice(bytes);
        if self.collected.len() >= PIECE_BYTES {
            self.flush();
        }
    }

    /// Adds bytes without a copy.
    pub(crate) fn pass(&mut self, bytes: Bytes) {
        self.flush();
        self.ready.push_back(bytes);
    }

    /// Adds bytes without a copy, in pieces.
    pub(crate) fn pass_in_pieces(&mut self, mut bytes: Bytes) {
        while bytes.len() > PIECE_BYTES {
            self.pass(bytes.split_to(PIECE_BYTES));
        }
        self.pass(bytes);
    }

    /// Makes a piece of the bytes that were collected.
    pub(crate) fn flush(&mut self) {
        if !self.collected.is_empty() {
            let collected = std::mem::take(&mut self.collected);
            self.ready.push_back(collected.into());
        }
    }

    pub(crate) fn pop(&mut self) -> Option<Bytes> {
        self.ready.pop_front()
    }
}
