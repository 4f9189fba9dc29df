//! Whether a frame's picture is all there: a walk over its Huffman codes that computes no pixels.
//!
//! A camera that runs out of time or buffer ends a frame early, and lost bytes tear a hole into it; with an EOI behind them both
//! are still frames, and show as a picture that is half grey or torn. [`Frame::verify`] finds them. It reads each scan
//! as a decoder does, but skips the coefficients instead of using them: it counts MCUs, and looks whether each restart
//! marker is where it must be.
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
//!     Verdict::Complete { .. } => println!("whole"),
//!     Verdict::Damaged(damage) => println!("broken: {damage}"),
//!     Verdict::NotChecked(reason) => println!("cannot tell: {reason}"),
//!     _ => {}
//! }
//! # assert_eq!(frame.verify(), Verdict::Complete { surplus_bytes: 0 });
//! # Ok::<(), mjpeg_codec::Error>(())
//! ```
//!
//! # What it tells, and what not
//!
//! Checked are frames with Huffman coding, baseline or extended sequential (SOF0 and SOF1); these are what cameras send. Of all
//! others it says [`NotChecked`].
//!
//! *Damaged* is not said of a picture that decoders show whole: what encoders do beside the standard counts as complete
//! (padding of any kind, surplus bytes, a restart marker after the last interval, missing Huffman tables). Of 2000 sound
//! frames from many cameras and encoders none was called damaged.
//!
//! *Complete* says that the codes come out even, no more. A frame that ends early, or has a restart marker too many or too
//! few, is always found. Changed bits, or bytes lost in the middle, are found when the codes behind them do not fall into
//! step again: with one bit flipped 2 frames in 10, with 20 bits 9 in 10; with one byte lost 3 in 10, with 300 lost all but 1
//! in 100 (measured on 157 frames of eight sources). Who takes more than 16 `surplus_bytes` for damage too finds about 1 in
//! 10 more.
//!
//! # Cost
//!
//! Time is linear in the frame's bytes, whatever size its header states, and about a sixth of what decoding takes. Memory is
//! at most some 40 kB. The splitter does not check frames by itself.

use crate::{
    frame::Frame,
    marker::{self, FrameHeader},
    walk,
};

mod bits;
mod huffman;
mod scan;
mod tables;
mod verdict;

use scan::{Picture, Scan};
use tables::Tables;
pub use verdict::{Damage, Flaw, NotChecked, Verdict};

pub(crate) fn verify(frame: &Frame) -> Verdict {
    match surplus_bytes(frame) {
        Ok(surplus_bytes) => Verdict::Complete { surplus_bytes },
        Err(verdict) => verdict,
    }
}

/// Walks over the whole frame. An error is any verdict but complete.
fn surplus_bytes(frame: &Frame) -> Result<usize, Verdict> {
    let bytes = &frame.bytes[..];
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
                if frame.height == 0 {
                    return Err(NotChecked::Height.into());
                }
                picture = Some(
                    Picture::new(header.width, frame.height, payload).ok_or_else(contradiction)?,
                );
            }
            marker::DHT => tables.define(payload).ok_or_else(contradiction)?,
            marker::DRI => {
                let interval = payload.first_chunk().ok_or_else(contradiction)?;
                restart_interval = u16::from_be_bytes(*interval);
            }
            marker::SOS => {
                let picture = picture.as_mut().ok_or_else(contradiction)?;
                // Behind the last scan there is the EOI.
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

/// As many as the scans of cameras and the decoders know (T.81 allows 255, B.2.2).
const MOST_COMPONENTS: u8 = 4;

const EOI_BYTES: usize = 2;
