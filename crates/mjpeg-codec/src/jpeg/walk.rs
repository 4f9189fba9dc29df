//! Walking the marker segments of one complete frame.

use std::ops::Range;

use super::{marker, search};

/// One marker segment of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// The second byte of its marker.
    pub(crate) code: u8,
    /// Where it begins. Fill bytes before its marker belong to it.
    pub(crate) start: usize,
    /// The bytes after its length field. In an SOS segment this is the scan header; the
    /// entropy-coded data begin at its end.
    pub(crate) payload: Range<usize>,
}

/// Walks the segments between a frame's SOI and its EOI, across its scans. Yields neither SOI and
/// EOI nor the scans' data.
///
/// The walk ends early where the bytes do not have the form of a frame. Those of a
/// [`Frame`](crate::Frame) always have it.
pub(crate) fn segments(frame: &[u8]) -> impl Iterator<Item = Segment> {
    let mut at = 2;
    let mut scan = false;
    std::iter::from_fn(move || {
        if scan {
            at = search::next_marker(frame, at)?;
            scan = false;
        }
        let start = at;
        let fill = frame
            .get(start..)?
            .iter()
            .take_while(|&&b| b == 0xFF)
            .count();
        let code = start + fill;
        let &[code_byte, hi, lo] = frame.get(code..code + 3)? else {
            return None;
        };
        let length = usize::from(u16::from_be_bytes([hi, lo]));
        let payload = code + 3..code + 1 + length;
        if fill == 0 || !marker::has_segment(code_byte) || length < 2 || payload.end > frame.len() {
            return None;
        }
        at = payload.end;
        scan = code_byte == marker::SOS;
        Some(Segment {
            code: code_byte,
            start,
            payload,
        })
    })
}
