//! Seeking the next image, in a raw stream and in a multipart stream.

use memchr::memchr;

use super::{
    Splitter,
    budget::{FRAME_COST_BYTES, LINE_COST_BYTES},
    state::{Progress, Step},
};
use crate::{error::DiscardReason, jpeg::search};

impl Splitter {
    /// Seeks the next image of a raw stream.
    pub(super) fn seek(&mut self) -> Step {
        let data = self.buffer.data();
        let found = search::next_image(data, self.pos);
        // An SOI may begin in the last three bytes, which the search does not judge.
        let garbage = found.unwrap_or(data.len().saturating_sub(3).max(self.pos.min(data.len())));
        if garbage > 0 {
            self.discard(DiscardReason::Garbage, garbage);
        }
        self.pos = 0;
        if found.is_none() {
            return Step::NeedMore;
        }
        self.begin_frame()
    }

    /// Seeks the next image of a multipart stream, line by line.
    pub(super) fn seek_part(&mut self) -> Step {
        let Some(framing) = &mut self.framing else {
            return Step::NeedMore;
        };
        let data = self.buffer.data();
        let longest = framing.max_header_bytes();
        // Look at a limited stretch: otherwise each short line and each image would cost a look at
        // everything after it.
        let end = data.len().min(longest).min(self.pos + LOOK_BYTES);
        let line = memchr(b'\n', &data[self.pos..end]).map(|at| self.pos + at + 1);
        // Three more bytes show whether an SOI before the end begins an image. No line can end in
        // an SOI that does.
        let to_judge = data.len().min(line.unwrap_or(end) + 3);
        let (reason, len) = match (search::next_image(&data[..to_judge], self.pos), line) {
            (Some(0), _) => {
                if matches!(&self.discarded, Some((reason, _)) if reason.is_frame()) {
                    framing.forget_headers();
                }
                return self.begin_frame();
            }
            (Some(at), _) => (framing.before_image(), at),
            (None, Some(len)) => (framing.line(&data[..len]), len),
            (None, None) if end == longest && (self.ended || data.len() >= end + 3) => {
                (framing.too_long(), end)
            }
            (None, None) if self.ended && end == data.len() && end > 0 => (framing.line(data), end),
            (None, None) => {
                let more_to_see = end < data.len() && end < longest;
                // An SOI may begin in the last three bytes, which the search does not judge.
                self.pos = end.min(data.len().saturating_sub(3)).max(self.pos);
                return if more_to_see {
                    Step::Again
                } else {
                    Step::NeedMore
                };
            }
        };
        if !self.budget.spend(self.base, LINE_COST_BYTES) {
            return self.flooded(0);
        }
        self.discard(reason, len);
        self.restart()
    }

    fn begin_frame(&mut self) -> Step {
        if !self.budget.spend(self.base, FRAME_COST_BYTES) {
            return self.flooded(0);
        }
        self.progress = Progress::default();
        self.pos = 2;
        self.markers()
    }
}

/// How far [`Splitter::seek_part`] looks at a time.
const LOOK_BYTES: usize = 512;
