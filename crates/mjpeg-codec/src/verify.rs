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
//! The time is linear in the frame's bytes, whatever size its header states, and about a fifth of
//! what decoding takes: 2 to 4 ms per MiB of a camera's frame. Bytes made for it take 40 to 60 ms
//! per MiB (measured): there a block has two bits. A frame of 16 MiB may thus hold its thread for
//! almost a second. A [`Verifier`] does the check in slices. The memory is about 70 kB at most. The
//! splitter does not check frames by itself.

use crate::{
    entropy::{picture::Picture, reader::FrameWalk, sink},
    frame::Frame,
};

mod verdict;

pub use crate::entropy::{
    damage::{Damage, Flaw},
    not_checked::NotChecked,
};
pub use verdict::Verdict;

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
    reader: FrameWalk<NoSink>,
    verdict: Option<Verdict>,
}

impl Verifier {
    /// Begins to check a frame, whose bytes it shares.
    pub fn new(frame: &Frame) -> Self {
        Self {
            reader: FrameWalk::new(frame, NoSink),
            verdict: None,
        }
    }

    /// Continues for about `work` nanoseconds, estimated from what it does, and for at least one
    /// step. Returns the verdict, which does not depend on the slices, or `None` before it is
    /// found.
    pub fn step(&mut self, work: usize) -> Option<Verdict> {
        let mut work = work.max(1);
        if self.verdict.is_none() {
            self.verdict = match self.reader.step(&mut work) {
                Ok(None) => None,
                Ok(Some(surplus_bytes)) => Some(Verdict::Complete { surplus_bytes }),
                Err(verdict) => Some(verdict),
            };
        }
        self.verdict
    }
}

/// Nothing but the verdict is wanted.
#[derive(Debug)]
struct NoSink;

impl sink::CodeSink for NoSink {
    const DC_ONLY: bool = false;

    type Stop = Verdict;

    fn segment(&mut self, _: u8, _: &[u8]) -> Result<(), Verdict> {
        Ok(())
    }

    fn picture(&mut self, _: &Picture, _: &[u8]) -> Result<(), Verdict> {
        Ok(())
    }

    fn begin_scan(&mut self, _: &sink::ScanLayout<'_>) -> Result<(), Verdict> {
        Ok(())
    }

    #[inline(always)]
    fn dc(&mut self, _: usize, _: u32, _: i32) {}

    #[inline(always)]
    fn end_mcu(&mut self) {}

    fn restart(&mut self) {}
}
