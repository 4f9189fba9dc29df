//! The steps of the state machine: how each state handles the bytes at hand.

use super::{
    Splitter,
    fill::MOST_WALKED_BYTES,
    state::{Cause, Fit, SplitterState, StepOutcome, Stop},
};
use crate::{
    config::MissingEoi,
    error::DiscardReason,
    jpeg::{marker, search},
    work,
};

impl Splitter {
    /// Takes one step from the current state. Counts its work, which has a bound.
    pub(super) fn step(&mut self) -> StepOutcome {
        match self.state {
            SplitterState::Seek if self.is_done => self.pass_rest(),
            SplitterState::Seek if self.framing.is_some() => self.seek_part(),
            SplitterState::Seek => self.seek(),
            SplitterState::Markers => self.markers(),
            SplitterState::Scan => self.scan(),
            SplitterState::Inside => self.inside(),
            SplitterState::Unended => self.unended(),
        }
    }

    /// Walks from marker to marker, up to the next scan or the end of the frame.
    pub(super) fn markers(&mut self) -> StepOutcome {
        self.state = SplitterState::Markers;
        loop {
            if self.work >= STEP_BYTES {
                return StepOutcome::Again;
            }
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
            self.work += fill.min(MOST_WALKED_BYTES);
            if ahead.get(fill) == Some(&0xFF) {
                // There is more fill than one walk may pass.
                self.pos += fill - 1;
                continue;
            }
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
                return StepOutcome::NeedMore;
            };
            // Charged at the code: an earlier push may have passed the fill before it.
            let is_scan = code == marker::SOS;
            self.work += self.budget.segment(self.base + at as u64, is_scan);
            match self.progress.take_segment(code, payload) {
                Fit::Sound => self.pos = end,
                Fit::Malformed => return self.broken(DiscardReason::Malformed, payload_at),
                Fit::Misplaced => return self.contradicted(payload_at),
            }
            self.progress.passed(end);
            if is_scan {
                self.progress.last_segment = 0;
                return self.scan();
            }
        }
    }

    /// Handles a marker without a segment at `at`, where a segment or an EOI should stand.
    fn lone_marker(&mut self, code: u8, at: usize) -> StepOutcome {
        match code {
            marker::EOI if self.progress.scanned => self.end(at + 1),
            marker::SOI => self.stopped(Stop {
                at: at - 1,
                cause: Cause::Soi,
            }),
            // RSTn outside a scan, reserved codes, FF 00: not a marker that may stand here. An EOI
            // with no scan before it belongs to another frame.
            _ => self.broken(DiscardReason::Malformed, at + 1),
        }
    }

    /// Passes a scan, up to the marker that ends it.
    fn scan(&mut self) -> StepOutcome {
        self.state = SplitterState::Scan;
        let data = self.buffer.window(self.config.max_frame_bytes());
        let to = data.len().min(self.pos + STEP_BYTES);
        let found = search::next_marker(&data[..to], self.pos);
        // The search does not judge the last byte, which may be the FF of a marker.
        let end = found.unwrap_or(to.saturating_sub(1).max(self.pos));
        let is_undecided = found.is_none() && data[..to].last() == Some(&0xFF);
        let no_marker_to = if is_undecided {
            end
        } else {
            found.unwrap_or(to)
        };
        let has_more = to < data.len();
        self.work += end - self.pos + 1;
        if let Some(at) = self.delimiter_line(no_marker_to) {
            return self.stopped(Stop {
                at,
                cause: Cause::Delimiter,
            });
        }
        self.pos = end;
        if found.is_some() {
            // Not a call: calls would nest as deep as the frame has scans.
            self.state = SplitterState::Markers;
        } else if !has_more {
            return self.starved(self.pos);
        }
        StepOutcome::Again
    }

    pub(super) fn may_end_without_eoi(&self) -> bool {
        self.progress.scanned && self.config.missing_eoi() == MissingEoi::Accept
    }
}

/// About the most bytes that one step looks at.
pub(super) const STEP_BYTES: usize = 64 << 10;
