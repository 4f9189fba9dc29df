//! Finds where a frame ends, and where the search continues after a broken one.
//!
//! The work stays proportional to the bytes: at most 6 bytes examined or copied and steps taken per
//! byte (bounded by the tests in `work`; measured 3.2 at worst). Each kind of work passes a byte
//! only a few times:
//!
//! * The search for an SOI never goes back, except in [`Splitter::contradicted`], and there only
//!   once for any place.
//! * A scan that was passed holds no SOI, and a break behind it resumes there. A scan is therefore
//!   passed again only after a contradiction.
//! * A walk that merged with a failed one would fail at the same place. That does not happen: after
//!   a broken frame the search resumes in its last segment, past all markers walked before. Only
//!   the payload of that segment, at most 64 KiB, is examined again.
//! * Each decision releases two bytes at least, or passes four of a frame.
//! * Table walks are limited to a number of tables
//!   ([`payload_is_sound`](crate::jpeg::segment::payload_is_sound)); long fill is walked once
//!   ([`Fill`](super::fill::Fill)).

use super::{
    Splitter,
    state::{SplitterState, StepOutcome},
};
use crate::{error::DiscardReason, jpeg::marker};

impl Splitter {
    /// Handles the EOI of the current frame, which ends at `len`.
    pub(super) fn end(&mut self, len: usize) -> StepOutcome {
        if self.base >= self.untrusted_end {
            return self.complete(len, true);
        }
        self.pos = len;
        self.inside()
    }

    /// Decides whether the image found inside an untrusted segment is a thumbnail.
    ///
    /// A thumbnail ends where its segment ends, or its frame continues after it with a segment that
    /// no SOI precedes. Neither holds for a frame of the stream.
    pub(super) fn inside(&mut self) -> StepOutcome {
        self.state = SplitterState::Inside;
        let embedded = match self.buffer.data().get(self.pos..self.pos + 2) {
            _ if self.base + self.pos as u64 == self.untrusted_end => true,
            Some(&[first, code]) => first == 0xFF && marker::has_segment(code),
            _ => return StepOutcome::NeedMore,
        };
        if embedded {
            return self.skip(self.pos);
        }
        self.complete(self.pos, true)
    }

    /// Handles a window that ends before the frame does: the splitter needs more bytes, or the
    /// frame is too large.
    pub(super) fn starved(&mut self, resume: usize) -> StepOutcome {
        if self.buffer.data().len() < self.config.max_frame_bytes() {
            return StepOutcome::NeedMore;
        }
        self.lost(DiscardReason::TooLarge, resume)
    }

    /// Gives up the current frame. If a segment was just passed, its length cannot be trusted and
    /// the next frame may begin inside it. Otherwise the search continues at `at`.
    pub(super) fn broken(&mut self, reason: DiscardReason, at: usize) -> StepOutcome {
        self.broke_at = self.base + at as u64;
        let mut resume = at;
        if self.progress.last_segment > 0 {
            let claimed = self.base + self.progress.last_end as u64;
            self.untrusted_end = self.untrusted_end.max(claimed);
            resume = self.progress.last_segment.min(at);
        }
        self.broken_here(reason, resume)
    }

    /// Like [`Self::broken`], but the search always continues at `at`. A lone SOI does not count as
    /// a frame and becomes garbage.
    pub(super) fn broken_here(&mut self, reason: DiscardReason, at: usize) -> StepOutcome {
        if self.progress.last_segment == 0 && !self.progress.scanned {
            return self.skip(SOI_BYTES);
        }
        self.lost(reason, at)
    }

    /// Handles a segment that belongs to another frame: an earlier segment has a false length
    /// although a marker follows it. The search continues inside all of them, once for any place in
    /// the stream, so that the work stays proportional to the bytes.
    pub(super) fn contradicted(&mut self, at: usize) -> StepOutcome {
        let here = self.base + at as u64;
        if here <= self.contradicted_at {
            return self.broken(DiscardReason::Malformed, at);
        }
        self.contradicted_at = here;
        self.lost(DiscardReason::Malformed, SOI_BYTES)
    }

    /// Releases the current frame, which ends at `len`.
    pub(super) fn complete(&mut self, len: usize, has_eoi: bool) -> StepOutcome {
        self.budget.whole_frame();
        if let Some(header) = self.progress.header {
            self.take_frame(header, len, has_eoi);
        }
        self.is_done = self.config.only_first();
        // The frame was not part of the untrusted segment before it.
        self.untrusted_end = 0;
        if let Some(framing) = &mut self.framing {
            framing.image_ended();
        }
        self.restart()
    }

    /// Drops the current frame up to `upto` and seeks the next one from there.
    pub(super) fn lost(&mut self, reason: DiscardReason, upto: usize) -> StepOutcome {
        self.budget.broken_frame(self.progress.scanned);
        self.discard(reason, upto);
        if let Some(framing) = &mut self.framing {
            framing.image_broke();
        }
        self.restart()
    }

    /// Discards `len` bytes as garbage.
    pub(super) fn skip(&mut self, len: usize) -> StepOutcome {
        self.discard(DiscardReason::Garbage, len);
        self.restart()
    }

    /// Seeks the next image from the start of the buffer.
    pub(super) fn restart(&mut self) -> StepOutcome {
        self.state = SplitterState::Seek;
        self.pos = 0;
        StepOutcome::Again
    }
}

const SOI_BYTES: usize = 2;
