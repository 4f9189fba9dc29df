//! Edits of a frame's bytes.

use std::ops::Range;

use crate::jpeg::{marker, tables, walk::Segment};

/// The single copy that repairs make of a frame. It begins with the first repair.
pub(super) struct Edit<'a> {
    old: &'a [u8],
    /// How far `old` has been copied or left out.
    taken: usize,
    /// Empty until the first replacement.
    new: Vec<u8>,
}

impl<'a> Edit<'a> {
    pub(super) fn new(old: &'a [u8]) -> Self {
        Self {
            old,
            taken: 0,
            new: Vec::new(),
        }
    }

    /// Replaces a range of the old bytes, which must follow those replaced before.
    pub(super) fn replace(&mut self, range: Range<usize>, with: &[u8]) {
        if self.new.capacity() == 0 {
            self.new.reserve_exact(self.old.len() + MOST_ADDED_BYTES);
        }
        self.new
            .extend_from_slice(&self.old[self.taken..range.start]);
        self.new.extend_from_slice(with);
        self.taken = range.end;
    }

    /// Removes an APPn or COM segment, or as much of it as possible, if it holds the bytes of an
    /// SOI or EOI. Returns whether it did.
    pub(super) fn strip(&mut self, segment: &Segment) -> bool {
        let payload = &self.old[segment.payload.clone()];
        let length = segment.payload.start - 2..segment.payload.start;
        // A search for the two bytes does not spare the length field.
        if !holds_soi_or_eoi(&self.old[length.start..segment.payload.end]) {
            return false;
        }
        match segment.code {
            marker::APP14 if payload.starts_with(b"Adobe") => return false,
            marker::APP0 if payload.starts_with(b"JFIF\0") && payload.len() >= JFIF_BYTES => {
                if payload.len() == JFIF_BYTES {
                    return false;
                }
                // Shortens the segment and zeroes the thumbnail's sides, its last fields.
                let sides = segment.payload.start + JFIF_BYTES - 2;
                self.replace(length, &(2 + JFIF_BYTES as u16).to_be_bytes());
                self.replace(sides..segment.payload.end, &[0, 0]);
            }
            _ => self.replace(segment.start..segment.payload.end, &[]),
        }
        true
    }

    /// Returns the edited bytes, or `None` if nothing was edited.
    pub(super) fn finish(mut self) -> Option<Vec<u8>> {
        if self.new.is_empty() {
            return None;
        }
        self.new.extend_from_slice(&self.old[self.taken..]);
        Some(self.new)
    }
}

/// Returns whether the bytes hold an SOI or EOI. Checks every pair without an early exit, which the
/// compiler turns into vector instructions.
fn holds_soi_or_eoi(bytes: &[u8]) -> bool {
    let mut holds = false;
    for (&a, &b) in bytes.iter().zip(bytes.get(1..).unwrap_or_default()) {
        holds |= (a == 0xFF) & ((b == marker::SOI) | (b == marker::EOI));
    }
    holds
}

/// The EOI marker.
pub(super) const EOI: [u8; 2] = [0xFF, marker::EOI];

/// The length of a JFIF payload without thumbnail (JFIF 1.02: identifier, version, units,
/// densities, sides of the thumbnail).
const JFIF_BYTES: usize = 14;

/// All other edits remove more than they add.
const MOST_ADDED_BYTES: usize = tables::TYPICAL_SEGMENT.len() + EOI.len();
