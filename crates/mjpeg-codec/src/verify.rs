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
//! what decoding takes: 3 to 5 ms per MiB of a camera's frame. Bytes made for it take 40 to 60 ms
//! per MiB (measured): there a block has two bits. A frame of 16 MiB may thus hold its thread for
//! almost a second. A [`Verifier`] does the check in slices. The memory is about 40 kB at most. The
//! splitter does not check frames by itself.

use crate::{
    frame::Frame,
    jpeg::{
        frame_header::FrameHeader,
        marker,
        walk::{Segment, Walk, WalkStep},
    },
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
    /// [module's documentation](self) says what it cannot find, and what it costs. A [`Verifier`]
    /// does the same in slices.
    pub fn verify(&self) -> Verdict {
        let mut verifier = Verifier::new(self);
        loop {
            if let Some(verdict) = verifier.step(usize::MAX) {
                return verdict;
            }
        }
    }
}

/// Checks a frame like [`Frame::verify`], in slices: for a task that must let others have their
/// turn in between.
///
/// ```
/// use mjpeg_codec::{Frame, verify::{Verdict, Verifier}};
///
/// # let jpeg: &[u8] = &[
/// #     0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0,
/// #     0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x2B, 0xFF, 0xD9,
/// # ];
/// let frame = Frame::parse(jpeg.to_vec())?;
/// let mut verifier = Verifier::new(&frame);
/// let verdict = loop {
///     if let Some(verdict) = verifier.step(500_000) {
///         break verdict;
///     }
///     std::thread::yield_now();
/// };
/// assert_eq!(verdict, Verdict::Complete { surplus_bytes: 0 });
/// # Ok::<(), mjpeg_codec::Error>(())
/// ```
#[derive(Debug)]
pub struct Verifier {
    frame: Frame,
    walk: Walk,
    /// The header of a scan whose end the walk is looking for.
    header: Option<Segment>,
    scan: Option<Scan>,
    /// The segment after that scan.
    next: Option<Segment>,
    is_walked: bool,
    picture: Option<Picture>,
    tables: Tables,
    restart_interval: u16,
    surplus_bytes: usize,
    verdict: Option<Verdict>,
}

impl Verifier {
    /// Begins to check a frame, whose bytes it shares.
    pub fn new(frame: &Frame) -> Self {
        Self {
            frame: frame.clone(),
            walk: Walk::new(),
            header: None,
            scan: None,
            next: None,
            is_walked: false,
            picture: None,
            tables: Tables::default(),
            restart_interval: 0,
            surplus_bytes: 0,
            verdict: None,
        }
    }

    /// Continues for about `work` nanoseconds, estimated from what it does, and for at least one
    /// step. Returns the verdict, which does not depend on the slices, or `None` before it is
    /// found.
    pub fn step(&mut self, work: usize) -> Option<Verdict> {
        let mut work = work.max(1);
        while self.verdict.is_none() && work > 0 {
            self.verdict = match self.advance(&mut work) {
                Ok(()) if self.is_at_end() => Some(self.complete()),
                Ok(()) => None,
                Err(verdict) => Some(verdict),
            };
        }
        self.verdict
    }

    /// Takes one step. The error is any verdict but complete.
    fn advance(&mut self, work: &mut usize) -> Result<(), Verdict> {
        if let Some(scan) = &mut self.scan {
            let surplus_bytes = scan.step(self.frame.bytes(), &self.tables, work)?;
            if let Some(surplus_bytes) = surplus_bytes {
                self.surplus_bytes += surplus_bytes;
                self.scan = None;
            }
            return Ok(());
        }
        if let Some(segment) = self.next.take() {
            return self.segment(segment);
        }
        let from = self.walk.position();
        let step = self.walk.step(self.frame.bytes(), WALKED_AT_A_TIME);
        *work = work.saturating_sub(self.walk.position() - from + SEGMENT_NANOS);
        let next = match step {
            WalkStep::Again => return Ok(()),
            WalkStep::Segment(segment) => Some(segment),
            WalkStep::End => None,
        };
        self.is_walked = next.is_none();
        match (self.header.take(), next) {
            (Some(header), next) => {
                let end = next.as_ref().map(|next| next.start);
                self.next = next;
                self.begin_scan(&header, end)
            }
            (None, Some(segment)) => self.segment(segment),
            (None, None) => Ok(()),
        }
    }

    /// Reads a segment.
    fn segment(&mut self, segment: Segment) -> Result<(), Verdict> {
        let bytes = self.frame.bytes();
        let payload = &bytes[segment.payload.clone()];
        let contradiction = || Verdict::from(Damage::header(segment.start));
        match segment.code {
            marker::DHP => return Err(NotChecked::Hierarchical.into()),
            code if marker::is_sof(code) => {
                if self.picture.is_some() {
                    return Err(contradiction());
                }
                if let Some(reason) = NotChecked::coding(code) {
                    return Err(reason.into());
                }
                let header = FrameHeader::parse(code, payload).ok_or_else(contradiction)?;
                if header.components > MOST_COMPONENTS {
                    return Err(NotChecked::Components.into());
                }
                let height = self.frame.height();
                if height == 0 {
                    return Err(NotChecked::Height.into());
                }
                let picture = Picture::new(header.width, height, payload);
                self.picture = Some(picture.ok_or_else(contradiction)?);
            }
            marker::DHT => {
                let tables = self.tables.define(bytes, segment.payload.clone());
                tables.ok_or_else(contradiction)?;
            }
            marker::DRI => {
                let interval = payload.first_chunk().ok_or_else(contradiction)?;
                self.restart_interval = u16::from_be_bytes(*interval);
            }
            marker::SOS => self.header = Some(segment),
            _ => {}
        }
        Ok(())
    }

    /// Begins to walk a scan, whose data end at `end` or before the EOI.
    fn begin_scan(&mut self, header: &Segment, end: Option<usize>) -> Result<(), Verdict> {
        let contradiction = || Verdict::from(Damage::header(header.start));
        let bytes = self.frame.bytes();
        let eoi_bytes = if self.frame.has_eoi() { EOI_BYTES } else { 0 };
        let start = header.payload.end;
        let end = end.unwrap_or(bytes.len().saturating_sub(eoi_bytes));
        let picture = self.picture.as_mut().ok_or_else(contradiction)?;
        let scan = Scan::new(
            &bytes[header.payload.clone()],
            picture,
            &mut self.tables,
            bytes,
            start..end.max(start),
            self.restart_interval,
        );
        self.scan = Some(scan.ok_or_else(contradiction)?);
        Ok(())
    }

    fn is_at_end(&self) -> bool {
        self.is_walked && self.scan.is_none()
    }

    /// Returns the verdict on a frame that was walked to its end.
    fn complete(&self) -> Verdict {
        let length = self.frame.bytes().len();
        let Some(picture) = &self.picture else {
            return Damage::header(length).into();
        };
        match picture.missing() {
            Some(expected_mcus) => Verdict::from(Damage {
                flaw: Flaw::MissingComponent,
                offset: length,
                mcus: 0,
                expected_mcus,
            }),
            None => Verdict::Complete {
                surplus_bytes: self.surplus_bytes,
            },
        }
    }
}

/// How much of a scan is searched for its end at a time.
const WALKED_AT_A_TIME: usize = 64 << 10;

/// What a segment takes.
const SEGMENT_NANOS: usize = 20;

/// The most that cameras use and decoders accept (T.81 allows 255, B.2.2).
const MOST_COMPONENTS: u8 = 4;

const EOI_BYTES: usize = 2;
