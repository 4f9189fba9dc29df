//! Lossless repairs of a frame, for viewers that cannot read what the camera sends.
//!
//! [`Frame::repaired`] edits marker segments, and never the entropy-coded data: a decoder that reads the frame as it came
//! makes the same pixels of it afterwards. Each repair is a choice of its own in [`Repairs`], and none is made unless
//! it is chosen.
//!
//! ```
//! use mjpeg_codec::{Frame, repair::Repairs};
//!
//! # fn main() -> Result<(), mjpeg_codec::Error> {
//! # let bytes: &[u8] = &[
//! #     0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0,
//! #     0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x2A, 0xFF, 0xD9,
//! # ];
//! let frame = Frame::parse(bytes)?;
//! let (repaired, made) = frame.repaired(Repairs::RECOMMENDED);
//! assert!(made.huffman_tables());
//! assert_eq!(repaired.bytes().len(), frame.bytes().len() + 420);
//! # Ok(())
//! # }
//! ```
//!
//! # Huffman tables
//!
//! [`with_huffman_tables`](Repairs::with_huffman_tables): a baseline frame (SOF0, 8 bit) without a DHT segment before its
//! first scan gets one, right before that scan's SOS, with the four tables of T.81 K.3.3: 420 bytes.
//!
//! Webcams leave the tables out because the standards they follow let them: AVI's Motion JPEG, and the Motion-JPEG
//! payload of USB Video Class, mean these four where none are sent. So does libjpeg-turbo (tested with its
//! `djpeg`), but Safari paints nothing ([go2rtc#2439](https://github.com/AlexxIT/go2rtc/pull/2439)). Other codings than baseline are
//! left as they are, for no standard says which tables they would mean, as is a frame that has some tables but not all.
//!
//! A frame in the abbreviated format (T.81 B.5), whose tables came with an earlier one, is not told apart: viewers that
//! take each frame by itself cannot show it either way. Where such tables are others than the standard ones, for a decoder
//! that remembers them, leave this repair off.
//!
//! # Embedded markers
//!
//! [`with_embedded_markers`](Repairs::with_embedded_markers): an APPn or COM segment that holds the bytes of an SOI or an EOI
//! (`FF D8`, `FF D9`), in its payload or its length, is taken out as a whole, wherever it stands. Most often that is an
//! Exif segment with a thumbnail, which is a JPEG inside the JPEG.
//!
//! T.81 allows these bytes there, and this crate's splitter skips them. But Mainsail's viewer begins a new picture at every `FF D8`
//! (measured with its parser: of ten frames with thumbnails it shows none), and Home Assistant takes a still to end at the first
//! `FF D9` (measured likewise: it gets the thumbnail).
//!
//! With the segment goes what else it holds, though no pixel depends on it: of an Exif segment the **orientation**, by which browsers
//! turn a picture, of an ICC profile the colour management, of a thermal camera's segment its measurements. Who
//! needs these leaves this repair off. Two segments tell how the colours are coded, so they stay: Adobe's (APP14) as it
//! is, and JFIF's (APP0) without its thumbnail.
//!
//! Segments of other kinds stay whatever they hold: quantization tables may well have the values 255 and 216 in a row.
//!
//! # EOI
//!
//! [`with_eoi`](Repairs::with_eoi): a frame that came without an EOI gets one. T.81 (B.2.1) demands it, and a viewer that looks for
//! `FF D9`, as Home Assistant does for a still, would run into the next frame. What may come before it, an `FF` that the
//! camera began a marker with, is then a fill byte, which T.81 allows (B.1.1.2).
//!
//! # What follows EOI
//!
//! Padding, a vendor's trailer, the second picture of a stereo pair: a frame of a [`Splitter`](crate::Splitter) ends with its EOI
//! and never has any. Of a file or an HTTP snapshot, [`Frame::parse_prefix`] leaves them off.
//!
//! # Cost
//!
//! A frame that needs nothing is not copied, but shared. To find that out takes a look at its header and, unless only Huffman tables are
//! asked for, one pass over the rest, for segments may stand between scans. A frame that needs repair is copied once, into
//! one new buffer. Measured on frames of 30 kB to 1 MB, the pass takes about as long as a copy, and the repair twice that.
//!
//! A repaired frame is longer by at most 422 bytes, so it may exceed
//! [`SplitterConfig::max_frame_bytes`](crate::SplitterConfig::max_frame_bytes) by as much.

use std::ops::Range;

use bytes::Bytes;

use crate::{
    frame::Frame,
    marker, standard_tables,
    walk::{self, Segment},
};

/// Which repairs to make, or which were made. The [module's documentation](self) tells what each does, and why.
///
/// [`Default`] is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repairs {
    huffman_tables: bool,
    embedded_markers: bool,
    eoi: bool,
}

impl Repairs {
    /// No repair.
    pub const NONE: Self = Self {
        huffman_tables: false,
        embedded_markers: false,
        eoi: false,
    };

    /// Each repair: what a relay does that serves viewers of any kind.
    pub const RECOMMENDED: Self = Self {
        huffman_tables: true,
        embedded_markers: true,
        eoi: true,
    };

    /// Sets whether a baseline frame without Huffman tables gets the standard ones: 420 bytes more.
    pub fn with_huffman_tables(mut self, yes: bool) -> Self {
        self.huffman_tables = yes;
        self
    }

    /// Sets whether APPn and COM segments that hold `FF D8` or `FF D9` are taken out, with all that they hold.
    pub fn with_embedded_markers(mut self, yes: bool) -> Self {
        self.embedded_markers = yes;
        self
    }

    /// Sets whether a frame without EOI gets one: 2 bytes more.
    pub fn with_eoi(mut self, yes: bool) -> Self {
        self.eoi = yes;
        self
    }

    /// The name of each repair, and whether it is chosen, or was made: `huffman_tables`, `embedded_markers`, `eoi`. For counters and
    /// settings.
    pub fn named(self) -> [(&'static str, bool); 3] {
        [
            ("huffman_tables", self.huffman_tables),
            ("embedded_markers", self.embedded_markers),
            ("eoi", self.eoi),
        ]
    }

    /// Whether Huffman tables are to be inserted, or were.
    pub fn huffman_tables(self) -> bool {
        self.huffman_tables
    }

    /// Whether segments with embedded markers are to be taken out, or some were.
    pub fn embedded_markers(self) -> bool {
        self.embedded_markers
    }

    /// Whether a missing EOI is to be appended, or was.
    pub fn eoi(self) -> bool {
        self.eoi
    }
}

impl Frame {
    /// Makes those of the repairs that this frame needs, and tells which these were.
    ///
    /// A frame that needs none comes back sharing its bytes. All but the bytes stays as it was;
    /// [`offset`](Self::offset) still tells where the frame began in the stream. A frame once repaired needs nothing more.
    pub fn repaired(&self, repairs: Repairs) -> (Self, Repairs) {
        let mut made = Repairs::NONE;
        let mut edit = Edit::new(&self.bytes);
        let baseline = self.sof() == marker::SOF0 && self.precision_bits() == 8;
        let mut tables_wanted = repairs.huffman_tables && baseline;
        let mut end = 0;
        for segment in walk::segments(&self.bytes) {
            if !(tables_wanted || repairs.embedded_markers || repairs.eoi) {
                break;
            }
            match segment.code {
                marker::DHT => tables_wanted = false,
                marker::SOS if tables_wanted => {
                    edit.replace(segment.start..segment.start, &standard_tables::SEGMENT);
                    made.huffman_tables = true;
                    tables_wanted = false;
                }
                marker::APP0..=marker::APP15 | marker::COM if repairs.embedded_markers => {
                    made.embedded_markers |= edit.strip(&segment);
                }
                _ => {}
            }
            end = segment.payload.end;
        }
        // Not the end of the whole frame: where EOI is missing, a segment's payload may be last, and may look like one.
        if repairs.eoi && !self.bytes[end..].ends_with(&EOI) {
            edit.replace(self.bytes.len()..self.bytes.len(), &EOI);
            made.eoi = true;
        }
        let mut frame = self.clone();
        frame.bytes = edit.finish();
        (frame, made)
    }
}

/// The one copy that repairs make of a frame, begun with the first of them.
struct Edit<'a> {
    old: &'a Bytes,
    /// Up to where `old` has been copied or left out.
    taken: usize,
    /// Empty until something is replaced.
    new: Vec<u8>,
}

impl<'a> Edit<'a> {
    fn new(old: &'a Bytes) -> Self {
        Self {
            old,
            taken: 0,
            new: Vec::new(),
        }
    }

    /// Replaces a range of the old bytes, which must lie behind those replaced before.
    fn replace(&mut self, range: Range<usize>, with: &[u8]) {
        if self.new.capacity() == 0 {
            self.new.reserve_exact(self.old.len() + MOST_ADDED_BYTES);
        }
        self.new
            .extend_from_slice(&self.old[self.taken..range.start]);
        self.new.extend_from_slice(with);
        self.taken = range.end;
    }

    /// Takes an APPn or COM segment out, or as much of it as may go, if it holds the bytes of a marker that begins or ends an image.
    fn strip(&mut self, segment: &Segment) -> bool {
        let payload = &self.old[segment.payload.clone()];
        let length = segment.payload.start - 2..segment.payload.start;
        // To those who search for the two bytes, the length is a place like any other.
        if !holds_soi_or_eoi(&self.old[length.start..segment.payload.end]) {
            return false;
        }
        match segment.code {
            marker::APP14 if payload.starts_with(b"Adobe") => return false,
            marker::APP0 if payload.starts_with(b"JFIF\0") && payload.len() >= JFIF_BYTES => {
                if payload.len() == JFIF_BYTES {
                    return false;
                }
                // The length and, last of the fields, the thumbnail's sides.
                let sides = segment.payload.start + JFIF_BYTES - 2;
                self.replace(length, &(2 + JFIF_BYTES as u16).to_be_bytes());
                self.replace(sides..segment.payload.end, &[0, 0]);
            }
            _ => self.replace(segment.start..segment.payload.end, &[]),
        }
        true
    }

    fn finish(mut self) -> Bytes {
        if self.new.is_empty() {
            return self.old.clone();
        }
        self.new.extend_from_slice(&self.old[self.taken..]);
        self.new.into()
    }
}

/// Looks at every pair, without a way out at the first hit, which the compiler turns into vector instructions.
fn holds_soi_or_eoi(bytes: &[u8]) -> bool {
    let mut holds = false;
    for (&a, &b) in bytes.iter().zip(bytes.get(1..).unwrap_or_default()) {
        holds |= (a == 0xFF) & ((b == marker::SOI) | (b == marker::EOI));
    }
    holds
}

const EOI: [u8; 2] = [0xFF, marker::EOI];

/// The payload of a JFIF segment without thumbnail (JFIF 1.02: identifier, version, units, densities, sides of the thumbnail).
const JFIF_BYTES: usize = 14;

/// All other edits take away more than they add.
const MOST_ADDED_BYTES: usize = standard_tables::SEGMENT.len() + EOI.len();

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The splitter makes no such frames; should it ever, a repair must not panic.
        #[test]
        fn bytes_that_are_not_a_frame_do_no_harm(
            bytes in proptest::collection::vec(prop_oneof![Just(0xFF), any::<u8>()], 0..200),
        ) {
            const MINIMAL: &[u8] = &[
                0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0,
                0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x2A, 0xFF, 0xD9,
            ];
            let mut frame = Frame::parse(MINIMAL).unwrap();
            frame.bytes = bytes.clone().into();
            let _ = frame.repaired(Repairs::RECOMMENDED);
            frame.bytes = [&[0xFF, 0xD8], &bytes[..]].concat().into();
            let _ = frame.repaired(Repairs::RECOMMENDED);
        }
    }
}
