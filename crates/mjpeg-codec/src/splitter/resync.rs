//! Where a frame ends, and where the search goes on after one that is broken.

use super::{
    Splitter,
    steps::{State, Step},
};
use crate::{error::DiscardReason, marker};

impl Splitter {
    /// Refuses the frame that the buffer begins with, if its first segment shows that it is none; does just what the walk from
    /// marker to marker would do, but fast, for bytes that are full of false beginnings.
    pub(super) fn refuse_at_once(&mut self) -> bool {
        let data = self.buffer.data();
        let Some(&[_, _, _, code, hi, lo]) = data.first_chunk() else {
            return false;
        };
        let end = FIRST_LENGTH_AT + usize::from(u16::from_be_bytes([hi, lo]));
        if code == 0xFF {
            if hi != marker::SOI {
                return false;
            }
            self.discard(DiscardReason::Garbage, SOI_BYTES);
            return true;
        }
        if end < FIRST_LENGTH_AT + 2 || end >= self.config.max_frame_bytes {
            return false;
        }
        let Some(&[first, second]) = data.get(end..end + 2) else {
            return false;
        };
        match (first, second) {
            (0xFF, marker::SOI) if marker::is_free_form(code) => {
                self.discard(DiscardReason::Truncated, end);
            }
            (0xFF, _) => return false,
            _ => {
                self.broke_at = self.base + end as u64;
                self.untrusted_end = self.untrusted_end.max(self.broke_at);
                self.discard(DiscardReason::Malformed, FIRST_LENGTH_AT);
            }
        }
        true
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

/// Where the length of a frame's first segment stands, if no fill bytes come before its marker.
const FIRST_LENGTH_AT: usize = 4;
