//! Seeking the next image, in a raw stream and in a multipart stream.

use memchr::memchr;

use super::{
    Splitter,
    state::{Progress, StepOutcome},
    steps::STEP_BYTES,
};
use crate::{error::DiscardReason, jpeg::search};

impl Splitter {
    /// Seeks the next image of a raw stream.
    pub(super) fn seek(&mut self) -> StepOutcome {
        let data = self.buffer.data();
        let to = data.len().min(self.pos + STEP_BYTES);
        let found = search::next_image(&data[..to], self.pos);
        // An SOI may begin in the last three bytes, which the search does not judge.
        let garbage = found.unwrap_or(to.saturating_sub(3).max(self.pos.min(to)));
        let has_more = to < data.len();
        self.work += garbage.saturating_sub(self.pos) + 1;
        if garbage > 0 {
            self.discard(DiscardReason::Garbage, garbage);
        }
        self.pos = 0;
        match found {
            Some(_) => self.begin_frame(),
            None if has_more => StepOutcome::Again,
            None => StepOutcome::NeedMore,
        }
    }

    /// Discards what follows the only frame that is wanted of this stream.
    pub(super) fn pass_rest(&mut self) -> StepOutcome {
        self.discard(DiscardReason::ExtraImage, self.buffer.data().len());
        self.pos = 0;
        StepOutcome::NeedMore
    }

    /// Seeks the next image of a multipart stream, line by line.
    pub(super) fn seek_part(&mut self) -> StepOutcome {
        let Some(framing) = &mut self.framing else {
            return StepOutcome::NeedMore;
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
        self.work += to_judge - self.pos + 1;
        let image = match framing.may_hold_image() {
            true => search::next_image(&data[..to_judge], self.pos),
            false => None,
        };
        let (reason, len) = match (image, line) {
            (Some(0), _) if framing.begins_image() => {
                if self.after_broken {
                    framing.forget_headers();
                }
                return self.begin_frame();
            }
            // The part has its image. Its other bytes are lines.
            (Some(0), _) => return StepOutcome::Again,
            (Some(at), _) => (framing.before_image(at), at),
            (None, Some(len)) => (framing.line(&data[..len]), len),
            (None, None) if end == longest && (self.ended.is_some() || data.len() >= end + 3) => {
                (framing.too_long(end), end)
            }
            (None, None) if self.ended.is_some() && end == data.len() && end > 0 => {
                (framing.line(data), end)
            }
            (None, None) => {
                let more_to_see = end < data.len() && end < longest;
                // An SOI may begin in the last three bytes, which the search does not judge.
                self.pos = end.min(data.len().saturating_sub(3)).max(self.pos);
                return if more_to_see {
                    StepOutcome::Again
                } else {
                    StepOutcome::NeedMore
                };
            }
        };
        self.work += self.budget.line(self.base);
        self.discard(reason, len);
        self.restart()
    }

    fn begin_frame(&mut self) -> StepOutcome {
        self.work += self.budget.image(self.base);
        self.progress = Progress::default();
        self.pos = 2;
        self.markers()
    }
}

/// How far [`Splitter::seek_part`] looks at a time.
const LOOK_BYTES: usize = 512;
