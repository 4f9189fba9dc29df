//! Where a frame ends, and where the search goes on after one that is broken.
//!
//! The work stays in proportion to the bytes (at most 6 bytes looked at or copied and steps taken per byte; the tests in `work` hold it to that, and
//! measured 3.2 at worst), because each kind of it goes over a byte a few times at most:
//!
//! * The search for an SOI never goes back before where it was, but for [`Splitter::contradicted`], and that once for any place.
//! * A scan that was passed holds no SOI, and what breaks behind it resumes there; so it is passed again only after a contradiction.
//! * A walk that merges with one that failed would fail at the same place. It does not get there: behind a broken frame the search resumes
//!   in its last segment, past all markers walked over before. Only the payload of that segment, at most 64 KiB, is looked at again.
//! * Decisions that follow one another within a few bytes are paid for by the bytes between them ([`Budget`](super::Budget)).
//! * Tables are walked up to a number of them ([`marker::payload_is_sound`]), fill once ([`Fill`]).

use std::ops::Range;

use super::{
    Splitter,
    steps::{State, Step},
};
use crate::{error::DiscardReason, marker, work};

/// The last long run of fill bytes that was walked over, as a range of the stream.
///
/// Fill may go on for as long as a frame may, and any number of false segments may end in one run of it: without this, each would
/// cost a walk over it.
#[derive(Debug, Default)]
pub(super) struct Fill(Range<u64>);

impl Fill {
    /// How many fill bytes `ahead` begins with, which stands at `here` in the stream.
    pub(super) fn len(&mut self, here: u64, ahead: &[u8]) -> usize {
        let known = self.0.clone();
        let unknown = ahead.len().min(known.start.saturating_sub(here) as usize);
        let mut fill = run_len(&ahead[..unknown]);
        let mut start = here;
        if known.contains(&(here + fill as u64)) {
            fill = ahead.len().min((known.end - here) as usize);
            start = here.min(known.start);
        }
        fill += run_len(&ahead[fill..]);
        if fill >= LONG_FILL_BYTES {
            self.0 = start..here + fill as u64;
        }
        fill
    }
}

fn run_len(bytes: &[u8]) -> usize {
    // In blocks, which become vector instructions; a run may be as long as a frame.
    let (blocks, _) = bytes.as_chunks::<FILL_BLOCK_BYTES>();
    let is_fill =
        |block: &&[u8; FILL_BLOCK_BYTES]| block.iter().fold(0xFF, |all, b| all & b) == 0xFF;
    let whole = blocks.iter().take_while(is_fill).count() * FILL_BLOCK_BYTES;
    let rest = bytes[whole..].iter().take_while(|&&b| b == 0xFF).count();
    work::count(whole + rest);
    whole + rest
}

impl Splitter {
    /// The bytes up to `upto` and some more are no frame, or one that decides about so few bytes that it costs too much.
    pub(super) fn flooded(&mut self, upto: usize) -> Step {
        self.lost(DiscardReason::Flood, upto)
    }

    /// Lets go of what comes after that, unread.
    pub(super) fn pass_flood(&mut self) -> Step {
        if let Some(gap) = &mut self.gap {
            gap.forget_part();
        }
        let to_pass = self.budget.flood_end - self.base;
        let len = to_pass.min(self.buffer.data().len() as u64) as usize;
        self.discard(DiscardReason::Flood, len);
        if len as u64 == to_pass {
            self.restart()
        } else {
            Step::NeedMore
        }
    }

    /// The EOI of the frame in hand ends at `len`.
    pub(super) fn end(&mut self, len: usize) -> Step {
        if self.base >= self.untrusted_end {
            return self.complete(len);
        }
        self.pos = len;
        self.inside()
    }

    /// A thumbnail ends where its segment does, or what its frame goes on with comes after it: a segment without an SOI before it.
    /// After a frame of the stream comes anything but that.
    pub(super) fn inside(&mut self) -> Step {
        self.state = State::Inside;
        let embedded = match self.buffer.data().get(self.pos..self.pos + 2) {
            _ if self.base + self.pos as u64 == self.untrusted_end => true,
            Some(&[first, code]) => first == 0xFF && marker::has_segment(code),
            _ => return Step::NeedMore,
        };
        if embedded {
            return self.skip(self.pos);
        }
        self.complete(self.pos)
    }

    /// The window ends before the frame does: more bytes are needed, or it is too large.
    pub(super) fn starved(&mut self, resume: usize) -> Step {
        if self.buffer.data().len() < self.config.max_frame_bytes {
            return Step::NeedMore;
        }
        self.lost(DiscardReason::TooLarge, resume)
    }

    /// The frame in hand is no frame. If a segment was just passed, its length is what cannot be trusted, and the
    /// next frame may begin inside it; otherwise the search goes on at `at`.
    pub(super) fn broken(&mut self, reason: DiscardReason, at: usize) -> Step {
        self.broke_at = self.base + at as u64;
        let mut resume = at;
        if self.so_far.last_segment > 0 {
            let claimed = self.base + self.so_far.last_end as u64;
            self.untrusted_end = self.untrusted_end.max(claimed);
            resume = self.so_far.last_segment.min(at);
        }
        self.broken_here(reason, resume)
    }

    /// Like [`Self::broken`], but the search goes on at `at`. A lone SOI is not worth the name of a frame and becomes garbage.
    pub(super) fn broken_here(&mut self, reason: DiscardReason, at: usize) -> Step {
        if self.so_far.last_segment == 0 && !self.so_far.scanned {
            return self.skip(SOI_BYTES);
        }
        self.lost(reason, at)
    }

    /// The segment in hand belongs to another frame: one before it has a false length all the same as a marker follows it. The search goes
    /// on inside all of them; once for any place in the stream, so that the work stays in proportion to the bytes.
    pub(super) fn contradicted(&mut self, at: usize) -> Step {
        let here = self.base + at as u64;
        if here <= self.contradicted_at {
            return self.broken(DiscardReason::Malformed, at);
        }
        self.contradicted_at = here;
        self.lost(DiscardReason::Malformed, SOI_BYTES)
    }

    pub(super) fn complete(&mut self, len: usize) -> Step {
        if let Some(header) = self.so_far.header {
            self.take_frame(header, len);
        }
        // The segment before it was false, for this was no part of it.
        self.untrusted_end = 0;
        self.image_ended()
    }

    /// Drops the frame in hand up to `upto` and looks for the next one from there.
    pub(super) fn lost(&mut self, reason: DiscardReason, upto: usize) -> Step {
        self.discard(reason, upto);
        self.image_ended()
    }

    pub(super) fn skip(&mut self, len: usize) -> Step {
        self.discard(DiscardReason::Garbage, len);
        self.restart()
    }

    pub(super) fn restart(&mut self) -> Step {
        self.state = State::Seek;
        self.pos = 0;
        Step::Again
    }

    fn image_ended(&mut self) -> Step {
        if let Some(gap) = &mut self.gap {
            gap.image_ended();
        }
        self.restart()
    }
}

const SOI_BYTES: usize = 2;

/// Shorter runs of fill are walked over again if need be.
const LONG_FILL_BYTES: usize = 64;

const FILL_BLOCK_BYTES: usize = 32;
