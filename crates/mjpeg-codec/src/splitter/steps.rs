//! The steps of the state machine: how each state handles the bytes at hand.

use super::{
    Splitter,
    budget::{SCAN_COST_BYTES, SEGMENT_COST_BYTES},
    state::{Fit, State, Step},
};
use crate::{
    config::MissingEoi,
    error::DiscardReason,
    jpeg::{marker, search, walk},
    work,
};

impl Splitter {
    /// Takes one step from the current state.
    pub(super) fn step(&mut self) -> Step {
        match self.state {
            State::Seek if self.base < self.budget.flood_end => self.pass_flood(),
            State::Seek if self.framing.is_some() => self.seek_part(),
            State::Seek => self.seek(),
            State::Markers => self.markers(),
            State::Scan => self.scan(),
            State::Inside => self.inside(),
        }
    }

    /// Handles the end of the stream in a state that needs more bytes.
    pub(super) fn at_end(&mut self) {
        let len = self.buffer.data().len();
        match self.state {
            State::Seek => self.skip(len),
            State::Inside => self.complete(self.pos),
            State::Markers | State::Scan => {
                let image = self.len_without_eoi(len);
                // An image that broke off inside a segment after its scan lacks more than its EOI.
                let rest = &self.buffer.data()[self.pos.min(image)..image];
                let in_segment = self.state == State::Markers && rest.iter().any(|&b| b != 0xFF);
                if self.may_end_without_eoi() && !in_segment {
                    self.complete(image)
                } else {
                    self.broken(DiscardReason::Truncated, image)
                }
            }
        };
    }

    /// Walks from marker to marker, up to the next scan or the end of the frame.
    pub(super) fn markers(&mut self) -> Step {
        self.state = State::Markers;
        loop {
            let data = self.buffer.window(self.config.max_frame_bytes());
            let ahead = data.get(self.pos..).unwrap_or_default();
            // Any number of fill bytes may precede a marker (B.1.1.2).
            let fill = match ahead {
                [0xFF, 0xFF, ..] => self.fill.len(self.base + self.pos as u64, ahead),
                [0xFF, ..] => 1,
                [] => return self.starved(self.pos),
                _ => return self.broken(DiscardReason::Malformed, self.pos),
            };
            work::count(1);
            let at = self.pos + fill;
            let (code, hi, lo) = match ahead[fill..] {
                [code, hi, lo, ..] if marker::has_segment(code) => (code, hi, lo),
                [code, ..] if !marker::has_segment(code) => return self.lone_marker(code, at),
                [_, ..] => {
                    // A marker follows the previous segment, so that one is sound.
                    (self.progress.last_segment, self.progress.last_end) = (at + 1, at + 3);
                    return self.starved(at + 1);
                }
                [] => {
                    self.pos = at - 1;
                    return self.starved(self.pos);
                }
            };
            let length = usize::from(u16::from_be_bytes([hi, lo]));
            let (length_at, payload_at, end) = (at + 1, at + 3, at + 1 + length);
            (self.progress.last_segment, self.progress.last_end) = (length_at, end);
            if length < 2 {
                self.progress.last_end = length_at + usize::from(u16::MAX);
                return self.broken(DiscardReason::Malformed, length_at);
            }
            if end > self.config.max_frame_bytes() {
                return self.broken(DiscardReason::TooLarge, length_at);
            }
            let Some(payload) = data.get(payload_at..end) else {
                return Step::NeedMore;
            };
            let scan = if code == marker::SOS {
                SCAN_COST_BYTES
            } else {
                0
            };
            // Charged at the code: an earlier push may have passed the fill before it.
            if !self
                .budget
                .spend(self.base + at as u64, SEGMENT_COST_BYTES + scan)
            {
                return self.flooded(at);
            }
            match self.progress.take_segment(code, payload) {
                Fit::Sound => self.pos = end,
                Fit::Malformed => return self.broken(DiscardReason::Malformed, payload_at),
                Fit::Misplaced => return self.contradicted(payload_at),
            }
            if code == marker::SOS {
                self.progress.last_segment = 0;
                return self.scan();
            }
        }
    }

    /// Handles a marker without a segment at `at`, where a segment or an EOI should stand.
    fn lone_marker(&mut self, code: u8, at: usize) -> Step {
        match code {
            marker::EOI if self.progress.scanned => self.end(at + 1),
            marker::SOI => {
                let len = self.len_without_eoi(at - 1);
                if self.may_end_without_eoi() {
                    self.complete(len)
                } else {
                    self.broken_here(DiscardReason::Truncated, len)
                }
            }
            // RSTn outside a scan, reserved codes, FF 00: not a marker that may stand here. An EOI
            // with no scan before it belongs to another frame.
            _ => self.broken(DiscardReason::Malformed, at + 1),
        }
    }

    /// Passes a scan, up to the marker that ends it.
    fn scan(&mut self) -> Step {
        self.state = State::Scan;
        let data = self.buffer.window(self.config.max_frame_bytes());
        if let Some(at) = search::next_marker(data, self.pos) {
            // Not a call: calls would nest as deep as the frame has scans.
            (self.state, self.pos) = (State::Markers, at);
            return Step::Again;
        }
        // The search did not judge the last byte, which may be the FF of a marker.
        self.pos = data.len().saturating_sub(1).max(self.pos);
        self.starved(self.pos)
    }

    fn may_end_without_eoi(&self) -> bool {
        self.progress.scanned && self.config.missing_eoi() == MissingEoi::Accept
    }

    /// Returns how many of the first `len` bytes, a frame without EOI, belong to that frame. In a
    /// multipart stream it ends before the next delimiter.
    fn len_without_eoi(&self, len: usize) -> usize {
        let Some(framing) = &self.framing else {
            return len;
        };
        let data = &self.buffer.data()[..len];
        // Segments may hold any bytes, including delimiters, so only the entropy-coded data are
        // searched. No image can begin in there, so searching them again repeats no work.
        let entropy_coded = walk::segments(data).last().map_or(0, |s| s.payload.end);
        entropy_coded + framing.before_delimiter(&data[entropy_coded..])
    }
}
