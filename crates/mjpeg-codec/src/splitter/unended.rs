//! Frames without EOI: what ends them, where, and whether they count as whole.

use super::{
    Splitter, StreamEnd,
    state::{Cause, SplitterState, StepOutcome, Stop},
};
use crate::error::DiscardReason;

impl Splitter {
    /// Handles the end of the stream in a state that needs more bytes.
    pub(super) fn at_end(&mut self, end: StreamEnd) {
        let len = self.buffer.data().len();
        match self.state {
            SplitterState::Seek => self.skip(len),
            SplitterState::Inside => self.complete(self.pos, true),
            SplitterState::Markers | SplitterState::Scan | SplitterState::Unended => {
                let is_in_scan = self.state == SplitterState::Scan;
                let scanned = if is_in_scan { len } else { self.pos };
                let is_cut_off = end == StreamEnd::CutOff;
                self.stopped(Stop {
                    at: len,
                    cause: Cause::End {
                        is_cut_off,
                        scanned,
                    },
                })
            }
        };
    }

    /// Ends the current frame, which has no EOI.
    pub(super) fn stopped(&mut self, stop: Stop) -> StepOutcome {
        self.progress.stop = Some(stop);
        self.pos = self.progress.data_start;
        self.state = SplitterState::Unended;
        StepOutcome::Again
    }

    /// Searches the end of a frame without EOI: in a multipart stream it ends before the next
    /// delimiter.
    ///
    /// Segments may hold any bytes, including delimiters, so only the entropy-coded data are
    /// searched. No image can begin in there, so searching them again repeats no work.
    pub(super) fn unended(&mut self) -> StepOutcome {
        let Some(stop) = self.progress.stop else {
            return self.broken(DiscardReason::Truncated, self.pos);
        };
        let mut len = stop.at;
        if let Some(framing) = &self.framing {
            let data = &self.buffer.data()[..stop.at];
            let to = stop.at.min(self.pos + SEARCH_BYTES);
            // A search that finds a delimiter at every third byte takes that long.
            self.work += 4 * (to - self.pos) + 1;
            let start = self.progress.data_start;
            match framing.before_delimiter(data, start, self.pos..to) {
                Some(at) => len = at,
                None if to < stop.at => {
                    self.pos = to;
                    return StepOutcome::Again;
                }
                None => {}
            }
        }
        match stop.cause {
            Cause::Soi | Cause::Delimiter if self.may_end_without_eoi() => {
                self.complete(len, false)
            }
            Cause::Soi | Cause::Delimiter => self.broken_here(DiscardReason::Truncated, len),
            Cause::End {
                is_cut_off,
                scanned,
            } => {
                // An image that broke off inside a segment after its scan lacks more than its EOI.
                let rest = &self.buffer.data()[scanned.min(len)..len];
                let is_whole = !is_cut_off && rest.iter().all(|&b| b == 0xFF);
                if is_whole && self.may_end_without_eoi() {
                    self.complete(len, false)
                } else {
                    self.broken(DiscardReason::Truncated, len)
                }
            }
        }
    }

    /// Returns the end of the line with the stream's delimiter that ends the scan before `upto`,
    /// if frames without EOI are accepted.
    pub(super) fn delimiter_line(&mut self, upto: usize) -> Option<usize> {
        if !self.may_end_without_eoi() {
            return None;
        }
        let framing = self.framing.as_deref()?;
        let data = self.buffer.data().get(..upto)?;
        let line = framing.delimiter_line(data, self.progress.delimiter_from);
        line.map_err(|from| self.progress.delimiter_from = from)
            .ok()
    }
}

/// How much of a scan is searched at a time.
const SEARCH_BYTES: usize = 16 << 10;
