//! The orientation tag of an Exif segment. What stands in the segment is not trusted.

use std::ops::Range;

use super::orientation::Orientation;
use crate::{
    frame::Frame,
    jpeg::{
        marker,
        walk::{Walk, WalkStep},
    },
};

impl Orientation {
    /// Reads how a frame says that it is to be shown, as decoders do: its first Exif segment
    /// counts, if that comes before the first scan and among the first 64 segments. Upright if
    /// nothing says otherwise.
    pub fn of(frame: &Frame) -> Self {
        let mut walk = Walk::new();
        for _ in 0..MOST_SEGMENTS {
            match walk.step(frame.bytes(), 0) {
                WalkStep::Segment(segment) if segment.code != marker::SOS => {
                    let payload = &frame.bytes()[segment.payload];
                    if is_exif(segment.code, payload) {
                        let entry = OrientationEntry::find(payload);
                        return entry.map_or(Self::UPRIGHT, |entry| entry.says);
                    }
                }
                WalkStep::Segment(_) | WalkStep::Again | WalkStep::End => break,
            }
        }
        Self::UPRIGHT
    }
}

/// Returns whether this is the payload of an Exif segment.
pub(super) fn is_exif(code: u8, payload: &[u8]) -> bool {
    code == marker::APP0 + 1 && payload.starts_with(b"Exif\0") && payload.len() >= HEAD_BYTES
}

/// An entry of the tag in the first directory (IFD0) of an Exif segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OrientationEntry {
    /// Where it stands in the segment's payload.
    pub(super) range: Range<usize>,
    order: ByteOrder,
    /// What it says. Upright, as decoders take it, if that is none of 1 to 8.
    pub(super) says: Orientation,
}

/// The byte order of a TIFF structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ByteOrder {
    /// `II`.
    Little,
    /// `MM`.
    Big,
}

impl OrientationEntry {
    /// Looks for the tag in the payload of an Exif segment. Reads no directory but the first, whose
    /// entries are at most as many as fit into a segment.
    pub(super) fn find(payload: &[u8]) -> Option<Self> {
        let tiff = payload.get(HEAD_BYTES..)?;
        let order = match tiff.first_chunk()? {
            b"II" => ByteOrder::Little,
            b"MM" => ByteOrder::Big,
            _ => return None,
        };
        if order.u16(tiff, 2)? != TIFF_MAGIC {
            return None;
        }
        let directory = usize::try_from(order.u32(tiff, 4)?).ok()?;
        // It must not overlap the header.
        if directory < TIFF_HEADER_BYTES {
            return None;
        }
        let count = usize::from(order.u16(tiff, directory)?);
        let entries = directory + 2;
        let found = (tiff.get(entries..)?.chunks_exact(ENTRY_BYTES).take(count))
            .position(|entry| order.u16(entry, 0) == Some(TAG))?;
        let at = entries + found * ENTRY_BYTES;
        let is_short = order.u16(tiff, at + 2)? == SHORT && order.u32(tiff, at + 4)? == 1;
        let said = Orientation::from_exif(order.u16(tiff, at + 8)?).filter(|_| is_short);
        let at = HEAD_BYTES + at;
        Some(Self {
            range: at..at + ENTRY_BYTES,
            order,
            says: said.unwrap_or_default(),
        })
    }

    /// Returns the entry that says this instead, of the same length.
    pub(super) fn saying(&self, orientation: Orientation) -> [u8; ENTRY_BYTES] {
        entry(self.order, orientation)
    }
}

impl ByteOrder {
    fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        })
    }

    fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        })
    }
}

fn entry(order: ByteOrder, orientation: Orientation) -> [u8; ENTRY_BYTES] {
    let value = orientation.exif() as u8;
    match order {
        ByteOrder::Little => [0x12, 0x01, 3, 0, 1, 0, 0, 0, value, 0, 0, 0],
        ByteOrder::Big => [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, value, 0, 0],
    }
}

/// Returns an Exif segment, with its marker, that holds nothing but the orientation.
pub(crate) fn segment(orientation: Orientation) -> [u8; SEGMENT_BYTES] {
    let mut segment = [0; SEGMENT_BYTES];
    let (head, rest) = segment.split_at_mut(BEFORE_ENTRY.len());
    head.copy_from_slice(BEFORE_ENTRY);
    // The offset of the next directory stays 0: there is none.
    rest[..ENTRY_BYTES].copy_from_slice(&entry(ByteOrder::Big, orientation));
    segment
}

/// The length of a [`segment`].
pub(super) const SEGMENT_BYTES: usize = BEFORE_ENTRY.len() + ENTRY_BYTES + 4;

/// Marker, length, identifier, TIFF header (big-endian, the directory follows), one entry.
const BEFORE_ENTRY: &[u8; 20] = b"\xFF\xE1\0\x22Exif\0\0MM\0\x2A\0\0\0\x08\0\x01";
const HEAD_BYTES: usize = 6;
const TIFF_HEADER_BYTES: usize = 8;
const TIFF_MAGIC: u16 = 42;
const ENTRY_BYTES: usize = 12;
const TAG: u16 = 0x0112;
/// Cameras send a dozen at most.
const MOST_SEGMENTS: usize = 64;
const SHORT: u16 = 3;
