//! Checks whether a frame's picture is complete, by a walk over its Huffman codes that computes no
//! pixels.
//!
//! A camera that runs out of time or buffer ends a frame early, and lost bytes tear a hole into it.
//! If an EOI follows, both are still frames, and show as a half-grey or torn picture.
//! [`Frame::verify`] finds them. It reads each scan as a decoder does, but skips the coefficients:
//! it counts the MCUs and checks that each restart marker is in its place.
//!
//! ```
//! use mjpeg_codec::{Frame, verify::Verdict};
//!
//! # let jpeg: &[u8] = &[
//! #     0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0,
//! #     0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x2B, 0xFF, 0xD9,
//! # ];
//! let frame = Frame::parse(jpeg.to_vec())?;
//! match frame.verify() {
//!     Verdict::Complete { .. } => println!("complete"),
//!     Verdict::Damaged(damage) => println!("broken: {damage}"),
//!     Verdict::NotChecked(reason) => println!("cannot tell: {reason}"),
//!     _ => {}
//! }
//! # assert_eq!(frame.verify(), Verdict::Complete { surplus_bytes: 0 });
//! # Ok::<(), mjpeg_codec::Error>(())
//! ```
//!
//! # What the verdict means
//!
//! Only frames with Huffman coding, baseline or extended sequential (SOF0 and SOF1), are checked;
//! cameras send these. The verdict on all others is [`NotChecked`].
//!
//! *Damaged* is never the verdict on a picture that decoders show whole. Deviations of encoders
//! from the standard count as complete: padding of any kind, surplus bytes, a restart marker after
//! the last interval, missing Huffman tables. Of 2000 sound frames from many cameras and encoders,
//! none was called damaged.
//!
//! *Complete* means only that the codes add up. A frame that ends early, or has too many or too few
//! restart markers, is always found. Changed bits or bytes lost in the middle are found unless the
//! codes after them fall into step again. Measured on 157 frames from eight sources: with one bit
//! flipped 2 frames in 10 are found, with 20 bits 9 in 10; with one byte lost 3 in 10, with 300
//! lost all but 1 in 100. Treating more than 16 `surplus_bytes` as damage finds about 1 in 10 more.
//!
//! # Cost
//!
//! The time is linear in the frame's bytes, whatever size its header states, and about a sixth of
//! what decoding takes. The memory is about 40 kB at most. The splitter does not check frames by
//! itself.

use crate::{
    frame::Frame,
    jpeg::{frame_header::FrameHeader, marker, walk},
};

mod bits;
mod block;
mod picture;
mod scan;
mod table;
mod tables;
mod verdict;

use picture::Picture;
use scan::Scan;
use tables::Tables;
pub use verdict::{Damage, Flaw, NotChecked, Verdict};

impl Frame {
    /// Checks whether the picture is complete, without decoding it: counts the MCUs of each scan
    /// and checks its restart markers.
    ///
    /// Finds frames that were cut off (half grey) and most that were damaged inside. The
    /// [module's documentation](self) says what it cannot find, and what it costs.
    pub fn verify(&self) -> Verdict {
        match surplus_bytes(self) {
            Ok(surplus_bytes) => Verdict::Complete { surplus_bytes },
            Err(verdict) => verdict,
        }
    }
}

/// Walks the whole frame and returns its surplus bytes. The error is any verdict but complete.
fn surplus_bytes(frame: &Frame) -> Result<usize, Verdict> {
    let bytes = frame.bytes();
    let mut picture = None;
    let mut tables = Tables::default();
    let mut restart_interval = 0;
    let mut surplus_bytes = 0;
    let mut segments = walk::segments(bytes).peekable();
    while let Some(segment) = segments.next() {
        let payload = &bytes[segment.payload.clone()];
        let contradiction = || Verdict::from(Damage::header(segment.start));
        match segment.code {
            marker::DHP => return Err(NotChecked::Hierarchical.into()),
            code if marker::is_sof(code) => {
                if picture.is_some() {
                    return Err(contradiction());
                }
                if let Some(reason) = NotChecked::coding(code) {
                    return Err(reason.into());
                }
                let header = FrameHeader::parse(code, payload).ok_or_else(contradiction)?;
                if header.components > MOST_COMPONENTS {
                    return Err(NotChecked::Components.into());
                }
                if frame.height() == 0 {
                    return Err(NotChecked::Height.into());
                }
                picture = Some(
                    Picture::new(header.width, frame.height(), payload)
                        .ok_or_else(contradiction)?,
                );
            }
            marker::DHT => tables.define(payload).ok_or_else(contradiction)?,
            marker::DRI => {
                let interval = payload.first_chunk().ok_or_else(contradiction)?;
                restart_interval = u16::from_be_bytes(*interval);
            }
            marker::SOS => {
                let picture = picture.as_mut().ok_or_else(contradiction)?;
                // The EOI follows the last scan.
                let end = match segments.peek() {
                    Some(next) => next.start,
                    None => bytes.len().saturating_sub(EOI_BYTES),
                };
                let data = bytes.get(segment.payload.end..end).unwrap_or(&[]);
                let scan = Scan::new(payload, picture, &mut tables, data.len())
                    .ok_or_else(contradiction)?;
                surplus_bytes += scan.walk(data, restart_interval).map_err(|mut damage| {
                    damage.offset += segment.payload.end;
                    damage
                })?;
            }
            _ => {}
        }
    }
    let picture = picture.ok_or(Damage::header(bytes.len()))?;
    if let Some(expected_mcus) = picture.missing() {
        return Err(Damage {
            flaw: Flaw::MissingComponent,
            offset: bytes.len(),
            mcus: 0,
            expected_mcus,
        }
        .into());
    }
    Ok(surplus_bytes)
}

/// The most that cameras use and decoders accept (T.81 allows 255, B.2.2).
const MOST_COMPONENTS: u8 = 4;

const EOI_BYTES: usize = 2;
