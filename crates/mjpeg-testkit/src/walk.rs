//! Walks the marker segments of a well-formed JPEG.

use std::ops::Range;

pub(crate) const SOI: u8 = 0xd8;
pub(crate) const EOI: u8 = 0xd9;
pub(crate) const SOS: u8 = 0xda;
pub(crate) const DHT: u8 = 0xc4;
pub(crate) const APP0: u8 = 0xe0;
pub(crate) const APP1: u8 = 0xe1;
pub(crate) const COM: u8 = 0xfe;

/// One segment that carries a length.
#[derive(Debug, Clone)]
pub(crate) struct MarkerSegment {
    /// The byte after `FF`.
    pub(crate) marker: u8,
    /// From its `FF` to the end of its payload; for SOS without the coded data that follows.
    pub(crate) whole: Range<usize>,
    /// The bytes after the two length bytes.
    pub(crate) payload: Range<usize>,
}

/// The segments of `jpeg` after SOI, lazily. Ends at EOI, or at the first byte that does not begin
/// a segment.
pub(crate) fn segments(jpeg: &[u8]) -> impl Iterator<Item = MarkerSegment> {
    let mut at = if jpeg.starts_with(&[0xff, SOI]) {
        2
    } else {
        jpeg.len()
    };
    std::iter::from_fn(move || {
        let &[0xff, marker, high, low] = jpeg.get(at..at + 4)? else {
            return None;
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let end = at + 2 + length;
        if marker == EOI || length < 2 || end > jpeg.len() {
            return None;
        }
        let segment = MarkerSegment {
            marker,
            whole: at..end,
            payload: at + 4..end,
        };
        at = if marker == SOS {
            scan_end(jpeg, end)
        } else {
            end
        };
        Some(segment)
    })
}

/// The range of the first scan's coded data.
pub(crate) fn first_scan(jpeg: &[u8]) -> Option<Range<usize>> {
    let sos = segments(jpeg).find(|segment| segment.marker == SOS)?;
    Some(sos.whole.end..scan_end(jpeg, sos.whole.end))
}

/// The index of the first marker from `from` on that is neither a stuffed `FF 00` nor a restart.
fn scan_end(jpeg: &[u8], from: usize) -> usize {
    jpeg[from..]
        .windows(2)
        .position(|pair| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xd0..=0xd7 | 0xff))
        .map_or(jpeg.len(), |offset| from + offset)
}
