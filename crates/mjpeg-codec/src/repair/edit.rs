//! Edits of a frame's bytes.

use std::ops::Range;

use super::exif;
use crate::jpeg::{marker, tables, walk::Segment};

/// The single copy that repairs make of a frame. It begins with the first repair, and is made
/// piece by piece.
#[derive(Debug, Default)]
pub(super) struct Edit {
    /// How far the old bytes have been copied or left out.
    taken: usize,
    /// `None` until the first repair.
    new: Option<Vec<u8>>,
}

impl Edit {
    /// Begins the copy.
    pub(super) fn begin(&mut self, old: &[u8]) -> &mut Vec<u8> {
        self.new
            .get_or_insert_with(|| Vec::with_capacity(old.len() + MOST_ADDED_BYTES))
    }

    /// Returns how far the old bytes were taken.
    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    /// Replaces a range of the old bytes, which must follow those replaced or copied before.
    pub(super) fn replace(&mut self, old: &[u8], range: Range<usize>, with: &[u8]) {
        let taken = std::mem::replace(&mut self.taken, range.end);
        let new = self.begin(old);
        new.extend_from_slice(&old[taken..range.start]);
        new.extend_from_slice(with);
    }

    /// Copies the old bytes up to a place, if the copy has begun. Returns how many.
    pub(super) fn copy_to(&mut self, old: &[u8], upto: usize) -> usize {
        let Some(new) = &mut self.new else { return 0 };
        let from = self.taken;
        self.taken = from.max(upto);
        new.extend_from_slice(&old[from..self.taken]);
        self.taken - from
    }

    /// Copies the next `most` bytes. Returns how many.
    pub(super) fn copy(&mut self, old: &[u8], most: usize) -> usize {
        self.copy_to(old, old.len().min(self.taken + most))
    }

    /// Returns whether nothing is left to copy.
    pub(super) fn is_copied(&self, old: &[u8]) -> bool {
        self.new.is_none() || self.taken == old.len()
    }

    /// Removes an APPn or COM segment that [`is_stripped`], or all of it but the JFIF header.
    pub(super) fn strip(&mut self, old: &[u8], segment: &Segment) {
        let payload = segment.payload.clone();
        if is_jfif(segment.code, &old[payload.clone()]) {
            // Shortens the segment and zeroes the thumbnail's sides, its last fields.
            let length = payload.start - 2..payload.start;
            let sides = payload.start + JFIF_BYTES - 2;
            self.replace(old, length, &(2 + JFIF_BYTES as u16).to_be_bytes());
            self.replace(old, sides..payload.end, &[0, 0]);
        } else {
            self.replace(old, segment.start..payload.end, &[]);
        }
    }

    /// Returns the edited bytes, or `None` if nothing was edited.
    pub(super) fn finish(self) -> Option<Vec<u8>> {
        self.new
    }
}

/// Returns whether an APPn or COM segment holds the bytes of an SOI or EOI and says nothing of the
/// colours, so that it is to be removed.
pub(super) fn is_stripped(old: &[u8], segment: &Segment) -> bool {
    let payload = &old[segment.payload.clone()];
    let is_colours = match segment.code {
        marker::APP14 => payload.starts_with(b"Adobe"),
        // Of a JFIF segment, the thumbnail is removed.
        code => is_jfif(code, payload) && payload.len() == JFIF_BYTES,
    };
    // A search for the two bytes does not spare the length field.
    !is_colours && holds_soi_or_eoi(&old[segment.payload.start - 2..segment.payload.end])
}

fn is_jfif(code: u8, payload: &[u8]) -> bool {
    code == marker::APP0 && payload.starts_with(b"JFIF\0") && payload.len() >= JFIF_BYTES
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

/// All other edits remove more than they add, or an Exif segment instead of inserting one.
const MOST_ADDED_BYTES: usize = tables::TYPICAL_SEGMENT.len() + EOI.len() + exif::SEGMENT_BYTES;
