//! Walking the marker segments of one frame whose bytes are all there.

use std::ops::Range;

use crate::{marker, search};

/// One marker segment of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// The second byte of its marker.
    pub(crate) code: u8,
    /// Where it begins, fill bytes before its marker included.
    pub(crate) start: usize,
    /// What follows its length field. Of an SOS segment: the scan header; the entropy-coded data begin at its end.
    pub(crate) payload: Range<usize>,
}

/// Walks the segments between a frame's SOI and its EOI, over its scans; SOI, EOI and the scans' data are not told.
///
/// The walk ends early where the bytes do not have the form of a frame, which those of a [`Frame`](crate::Frame) always have.
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
