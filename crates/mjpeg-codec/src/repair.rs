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
//! Everything else in the segment is removed with it, though no pixel depends on it: the colour
//! management in an ICC profile, the date in an Exif segment, the measurements in a thermal
//! camera's segment. Leave this repair off if you need these. Two segments tell how the colours are
//! coded and stay: Adobe's (APP14) as it is, and JFIF's (APP0) without its thumbnail. Of the first
//! Exif segment, the orientation stays, by which browsers turn a picture: unless it is upright, a
//! segment of 36 bytes takes the place of the camera's.
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
//! # Orientation
//!
//! [`with_orientation`](Repairs::with_orientation): makes the frame say that it is to be turned or
//! mirrored (Exif's tag 0x0112). The pixels stay as they are; viewers that heed the tag, such as
//! browsers, turn the picture when they show it. Others show it as it was. [`Orientation`] is what
//! happens to the picture that the frame showed so far: if it says itself how it is to be shown,
//! the two are composed.
//!
//! If the frame's first Exif segment has the tag in its first directory, the entry is edited in
//! place. Otherwise, an Exif segment of 36 bytes with only this tag is inserted behind the APP0
//! segments with which the frame begins (JFIF), or else right behind SOI. It precedes the camera's
//! Exif segment, which stays: decoders take the first. XMP's orientation is neither read nor
//! written.
//!
//! A frame does not show who gave it its orientation. Therefore this is the one repair that takes
//! effect again when it is made again. Make it at one place.
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
//! and, if embedded markers are chosen, one pass over the rest, because segments may stand
//! between scans. A frame that needs repair is copied once, into one new buffer. Measured on frames
//! of 30 kB to 1 MB, the pass takes about as long as a copy, and the repair twice that.
//!
//! A repaired frame is at most 458 bytes longer, so it may exceed
//! [`SplitterConfig::max_frame_bytes`](crate::SplitterConfig::max_frame_bytes) by that much.

use crate::frame::Frame;

mod ahead;
mod edit;
pub(crate) mod exif;
mod orientation;
mod repairer;
mod repairs;

pub use orientation::Orientation;
pub use repairer::Repairer;
pub use repairs::Repairs;

impl Frame {
    /// Makes those of the chosen repairs that this frame needs. Returns the frame and the repairs
    /// made.
    ///
    /// A frame that needs none shares its bytes with the result. Everything but the bytes stays as
    /// it was: [`offset`](Self::offset) still is where the frame began in the stream. A repaired
    /// frame needs no further repair, except that an orientation takes effect again. A [`Repairer`]
    /// does the same in slices.
    pub fn repaired(&self, repairs: Repairs) -> (Self, Repairs) {
        let mut repairer = Repairer::new(self, repairs);
        loop {
            if let Some(repaired) = repairer.step(usize::MAX) {
                return repaired;
            }
        }
    }
}

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
                let turned = Orientation::new(90, true).unwrap_or_default();
                let _ = frame.repaired(Repairs::RECOMMENDED.with_orientation(turned));
            }
        }
    }
}
