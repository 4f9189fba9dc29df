//! Lossless repairs of a frame, for viewers that cannot read the frame as the camera sends it.
//!
//! [`Frame::repaired`] edits marker segments and never the entropy-coded data. A decoder that reads
//! the original frame makes the same pixels of the repaired one. Each repair is a separate choice
//! in [`Repairs`], and none is made unless it is chosen.
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
//! [`with_huffman_tables`](Repairs::with_huffman_tables): if a baseline frame (SOF0, 8 bit) has no
//! DHT segment before its first scan, inserts one with the four tables of T.81 K.3.3 right before
//! the SOS of that scan. This adds 420 bytes.
//!
//! Webcams omit the tables because their standards allow it: AVI's Motion JPEG and the Motion-JPEG
//! payload of USB Video Class imply these four. libjpeg-turbo assumes them, too (tested with its
//! `djpeg`), but Safari paints nothing
//! ([go2rtc#2439](https://github.com/AlexxIT/go2rtc/pull/2439)). Frames of other codings stay as
//! they are, because no standard says which tables they would imply. So do frames with some tables
//! but not all.
//!
//! This repair cannot recognise a frame in the abbreviated format (T.81 B.5), whose tables came
//! with an earlier frame. Viewers that decode each frame by itself cannot show it either way. If
//! such tables differ from the standard ones and a decoder remembers them, leave this repair off.
//!
//! # Embedded markers
//!
//! [`with_embedded_markers`](Repairs::with_embedded_markers): removes each APPn or COM segment that
//! holds the bytes of an SOI or an EOI (`FF D8`, `FF D9`) in its payload or its length. Most often
//! that is an Exif segment with a thumbnail, which is a JPEG inside the JPEG.
//!
//! T.81 allows these bytes there, and this crate's splitter skips them. But Mainsail's viewer
//! begins a new picture at every `FF D8` (measured with its parser: of ten frames with thumbnails
//! it shows none), and Home Assistant ends a still at the first `FF D9` (measured likewise: it gets
//! the thumbnail).
//!
//! Everything else in the segment is removed with it, though no pixel depends on it: the
//! **orientation** in an Exif segment, by which browsers turn a picture, the colour management in
//! an ICC profile, the measurements in a thermal camera's segment. Leave this repair off if you
//! need these. Two segments tell how the colours are coded and stay: Adobe's (APP14) as it is, and
//! JFIF's (APP0) without its thumbnail.
//!
//! Segments of other kinds stay whatever they hold: quantization tables may well contain 255 and
//! 216 in a row.
//!
//! # EOI
//!
//! [`with_eoi`](Repairs::with_eoi): appends an EOI to a frame that came without one. T.81 requires
//! it (B.2.1). A viewer that searches for `FF D9`, as Home Assistant does for a still, would read
//! on into the next frame. If the frame ends in an `FF` with which the camera began a marker, that
//! `FF` becomes a fill byte, which T.81 allows (B.1.1.2).
//!
//! # Bytes after EOI
//!
//! A frame of a [`Splitter`](crate::Splitter) ends with its EOI and never includes padding, a
//! vendor's trailer or the second picture of a stereo pair. For a file or an HTTP snapshot,
//! [`Frame::parse_prefix`] leaves them off.
//!
//! # Cost
//!
//! A frame that needs no repair is shared, not copied. Finding that out takes a look at its header
//! and, unless only Huffman tables are chosen, one pass over the rest, because segments may stand
//! between scans. A frame that needs repair is copied once, into one new buffer. Measured on frames
//! of 30 kB to 1 MB, the pass takes about as long as a copy, and the repair twice that.
//!
//! A repaired frame is at most 422 bytes longer, so it may exceed
//! [`SplitterConfig::max_frame_bytes`](crate::SplitterConfig::max_frame_bytes) by that much.

use crate::{
    frame::Frame,
    jpeg::{
        marker, tables,
        walk::{Segment, Step, Walk},
    },
};

mod edit;

use edit::{EOI, Edit, is_stripped};

/// A set of repairs: those to make, or those that were made. The [module's documentation](self)
/// explains each.
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

    /// All repairs: recommended for a relay that serves viewers of any kind.
    pub const RECOMMENDED: Self = Self {
        huffman_tables: true,
        embedded_markers: true,
        eoi: true,
    };

    /// Sets whether to insert the standard Huffman tables into a baseline frame without any. Adds
    /// 420 bytes.
    pub fn with_huffman_tables(mut self, yes: bool) -> Self {
        self.huffman_tables = yes;
        self
    }

    /// Sets whether to remove APPn and COM segments that hold `FF D8` or `FF D9`, with all their
    /// contents.
    pub fn with_embedded_markers(mut self, yes: bool) -> Self {
        self.embedded_markers = yes;
        self
    }

    /// Sets whether to append an EOI to a frame without one. Adds 2 bytes.
    pub fn with_eoi(mut self, yes: bool) -> Self {
        self.eoi = yes;
        self
    }

    /// Returns every repair by name (`huffman_tables`, `embedded_markers`, `eoi`), and whether the
    /// set contains it. For counters and settings.
    pub fn named(self) -> impl Iterator<Item = (&'static str, bool)> {
        let all = [
            ("huffman_tables", self.huffman_tables),
            ("embedded_markers", self.embedded_markers),
            ("eoi", self.eoi),
        ];
        all.into_iter()
    }

    /// Returns whether Huffman tables are to be inserted, or were.
    pub fn huffman_tables(self) -> bool {
        self.huffman_tables
    }

    /// Returns whether segments with embedded markers are to be removed, or were.
    pub fn embedded_markers(self) -> bool {
        self.embedded_markers
    }

    /// Returns whether a missing EOI is to be appended, or was.
    pub fn eoi(self) -> bool {
        self.eoi
    }
}

impl Frame {
    /// Makes those of the chosen repairs that this frame needs. Returns the frame and the repairs
    /// made.
    ///
    /// A frame that needs none shares its bytes with the result. Everything but the bytes stays as
    /// it was: [`offset`](Self::offset) still is where the frame began in the stream. A repaired
    /// frame needs no further repair. A [`Repairer`] does the same in slices.
    pub fn repaired(&self, repairs: Repairs) -> (Self, Repairs) {
        let mut repairer = Repairer::new(self, repairs);
        loop {
            if let Some(repaired) = repairer.step(usize::MAX) {
                return repaired;
            }
        }
    }
}

/// Repairs a frame like [`Frame::repaired`], in slices: for a task that must let others have their
/// turn in between.
#[derive(Debug)]
pub struct Repairer {
    frame: Frame,
    wanted: Repairs,
    made: Repairs,
    walk: Walk,
    /// The walk has found all there is to repair.
    is_walked: bool,
    /// A segment to edit as soon as all before it is copied.
    pending: Option<Segment>,
    edit: Edit,
}

impl Repairer {
    /// Begins to repair a frame, whose bytes it shares.
    pub fn new(frame: &Frame, repairs: Repairs) -> Self {
        let is_baseline = frame.sof() == marker::SOF0 && frame.precision_bits() == 8;
        let wanted = repairs.with_huffman_tables(repairs.huffman_tables && is_baseline);
        Self {
            frame: frame.clone(),
            wanted,
            made: Repairs::NONE,
            walk: Walk::new(),
            is_walked: false,
            pending: None,
            edit: Edit::default(),
        }
    }

    /// Continues for about `work` nanoseconds, estimated from what it does, and for at least one
    /// step. Returns the frame and the repairs made, once, or `None` before that.
    pub fn step(&mut self, work: usize) -> Option<(Frame, Repairs)> {
        let mut work = work.max(1);
        while work > 0 {
            let done = if self.is_walked {
                if self.edit.is_copied(self.frame.bytes()) {
                    return Some(self.finish());
                }
                self.edit.copy(self.frame.bytes(), BYTES_AT_A_TIME)
            } else {
                self.advance()
            };
            work = work.saturating_sub(done);
        }
        None
    }

    /// Takes a step of the walk, and returns its work.
    fn advance(&mut self) -> usize {
        if let Some(segment) = self.pending.take() {
            return self.edit(segment);
        }
        if !(self.wanted.huffman_tables || self.wanted.embedded_markers) {
            self.end_walk();
            return 1;
        }
        let from = self.walk.position();
        match self.walk.step(self.frame.bytes(), BYTES_AT_A_TIME) {
            Step::Segment(segment) => self.segment(segment),
            Step::Again => {}
            Step::End => self.end_walk(),
        }
        self.walk.position() - from + SEGMENT_NANOS
    }

    /// Decides about a segment.
    fn segment(&mut self, segment: Segment) {
        let is_edited = match segment.code {
            marker::DHT => {
                self.wanted.huffman_tables = false;
                false
            }
            marker::SOS => self.wanted.huffman_tables,
            marker::APP0..=marker::APP15 | marker::COM => {
                self.wanted.embedded_markers && is_stripped(self.frame.bytes(), &segment)
            }
            _ => false,
        };
        self.pending = is_edited.then_some(segment);
    }

    /// Edits a segment, or copies some of what is before it. Returns the work.
    fn edit(&mut self, segment: Segment) -> usize {
        let bytes = self.frame.bytes();
        if segment.start > self.edit.taken() + BYTES_AT_A_TIME {
            self.edit.begin(bytes);
            let copied = self.edit.copy(bytes, BYTES_AT_A_TIME);
            self.pending = Some(segment);
            return copied;
        }
        let taken = self.edit.taken();
        if segment.code == marker::SOS {
            let before = segment.start..segment.start;
            self.edit.replace(bytes, before, &tables::TYPICAL_SEGMENT);
            self.made.huffman_tables = true;
            self.wanted.huffman_tables = false;
        } else {
            self.edit.strip(bytes, &segment);
            self.made.embedded_markers = true;
        }
        self.edit.taken() - taken + SEGMENT_NANOS
    }

    fn end_walk(&mut self) {
        self.is_walked = true;
        if self.wanted.eoi && !self.frame.has_eoi() {
            self.made.eoi = true;
            self.edit.begin(self.frame.bytes());
        }
    }

    fn finish(&mut self) -> (Frame, Repairs) {
        let frame = self.frame.clone();
        let repaired = match std::mem::take(&mut self.edit).finish() {
            Some(mut bytes) => {
                let mut frame = frame;
                if self.made.eoi {
                    bytes.extend_from_slice(&EOI);
                    frame = frame.with_eoi();
                }
                let memory_bytes = bytes.capacity();
                frame.with_bytes(bytes.into(), memory_bytes)
            }
            None => frame,
        };
        (repaired, self.made)
    }
}

/// How many bytes are walked or copied at a time.
const BYTES_AT_A_TIME: usize = 64 << 10;

/// What a segment takes.
const SEGMENT_NANOS: usize = 20;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The splitter makes no such frames. If it ever did, a repair must not panic.
        #[test]
        fn bytes_that_are_not_a_frame_do_no_harm(
            bytes in proptest::collection::vec(prop_oneof![Just(0xFF), any::<u8>()], 0..200),
        ) {
            const MINIMAL: &[u8] = &[
                0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0,
                0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x2A, 0xFF, 0xD9,
            ];
            let minimal = Frame::parse(MINIMAL).unwrap();
            for bytes in [bytes.clone(), [&[0xFF, 0xD8], &bytes[..]].concat()] {
                let memory_bytes = bytes.len();
                let frame = minimal.clone().with_bytes(bytes.into(), memory_bytes);
                let _ = frame.repaired(Repairs::RECOMMENDED);
            }
        }
    }
}
