//! What leaves the splitter: frames and discarded ranges.

use std::ops::Range;

use super::Splitter;
use crate::{error::DiscardReason, found::Found, frame::Frame, jpeg::frame_header::FrameHeader};

impl Splitter {
    /// Releases the first `len` bytes as a frame.
    pub(super) fn take_frame(&mut self, header: FrameHeader, len: usize, has_eoi: bool) {
        self.report_discarded();
        let (bytes, memory_bytes) = self.buffer.take(len);
        let frame = Frame::new(bytes, memory_bytes, self.base, header, has_eoi);
        self.base += len as u64;
        self.after_broken = false;
        self.found.push_back(Found::Frame(frame));
    }

    /// Discards the first `len` bytes. Garbage after a broken frame counts as the rest of it. In a
    /// flood, the flood is the reason.
    pub(super) fn discard(&mut self, reason: DiscardReason, len: usize) {
        let is_rest = reason == DiscardReason::Garbage && self.after_broken;
        self.after_broken = reason.is_frame() || is_rest;
        let reason = if self.budget.is_flood() {
            DiscardReason::Flood
        } else {
            reason
        };
        let mut at = self.base;
        self.buffer.advance(len);
        self.base += len as u64;
        while at < self.base {
            match &mut self.discarded {
                Some((last, range)) if joins(reason, *last, range) => {
                    let most = if reason.is_frame() {
                        u64::MAX
                    } else {
                        PIECE_BYTES
                    };
                    at = self.base.min(range.start.saturating_add(most));
                    range.end = at;
                }
                _ => {
                    self.report_discarded();
                    // A broken frame is one range, however long it was.
                    let end = if reason.is_frame() { self.base } else { at };
                    self.discarded = Some((reason, at..end));
                    at = end;
                }
            }
        }
    }

    pub(super) fn report_discarded(&mut self) {
        if let Some((reason, range)) = self.discarded.take() {
            self.found.push_back(Found::Discarded { reason, range });
        }
    }
}

/// Returns whether bytes discarded for `reason` join the range discarded before them.
fn joins(reason: DiscardReason, last: DiscardReason, range: &Range<u64>) -> bool {
    let len = range.end - range.start;
    if reason.is_frame() {
        return last.is_frame() && len < DEBRIS_BYTES;
    }
    let rest_of_broken = reason == DiscardReason::Garbage && last.is_frame();
    (reason == last || rest_of_broken) && len < PIECE_BYTES
}

/// The longest range that does not begin with a broken frame. Longer ones are reported in pieces,
/// so that endless garbage is counted as it comes. Garbage joins a broken frame up to this length.
const PIECE_BYTES: u64 = 64 << 10;

/// Broken frames that begin within so few bytes count as one: no frame is so short.
const DEBRIS_BYTES: u64 = 64;
