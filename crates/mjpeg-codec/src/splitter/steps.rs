//! The steps of the state machine: what each state makes of the bytes at hand.

use memchr::memchr;

use super::{
    Splitter,
    budget::{FRAME_COST_BYTES, LINE_COST_BYTES, SCAN_COST_BYTES, SEGMENT_COST_BYTES},
};
use crate::{
    config::MissingEoi,
    error::DiscardReason,
    marker::{self, FrameHeader},
    search, walk, work,
};

/// In all states but `Seek`, the buffer begins at the SOI of the frame in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Looking for an SOI; what lies before it is garbage.
    Seek,
    /// `pos` is where a marker must stand.
    Markers,
    /// `pos` is inside entropy-coded data.
    Scan,
    /// The frame in hand is whole and ends at `pos`. It was found inside a segment that was not trusted; what follows
    /// it tells whether it belongs there.
    Inside,
}

/// What is known of the frame in hand.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    pub(super) header: Option<FrameHeader>,
    /// A DHP segment was there: several frame headers make up one image (T.81 annex J).
    hierarchical: bool,
    pub(super) scanned: bool,
    /// Where the length field of the segment just passed stands, or 0. If no marker follows that segment, its length
    /// was false and the search for the next frame goes on there.
    pub(super) last_segment: usize,
    /// Where the segment just passed claims to end.
    pub(super) last_end: usize,
}

pub(super) enum Step {
    Again,
    NeedMore,
}

impl Splitter {
    pub(super) fn step(&mut self) -> Step {
        match self.state {
            State::Seek if self.base < self.budget.flood_end => self.pass_flood(),
            State::Seek if self.gap.is_some() => self.seek_part(),
            State::Seek => self.seek(),
            State::Markers => self.markers(),
            State::Scan => self.scan(),
            State::Inside => self.inside(),
        }
    }

    /// The stream has ended, and the state in hand needs more bytes.
    pub(super) fn at_end(&mut self) {
        let len = self.buffer.data().len();
        match self.state {
            State::Seek => self.skip(len),
            State::Inside => self.complete(self.pos),
            State::Markers | State::Scan => {
                let image = self.len_without_eoi(len);
                // What broke off inside a segment behind its scan is no image that lacks nothing but its EOI.
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

    fn seek(&mut self) -> Step {
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

    /// Like [`Self::seek`] in a multipart stream: line by line up to the next image.
    fn seek_part(&mut self) -> Step {
        let Some(gap) = &mut self.gap else {
            return Step::NeedMore;
        };
        let data = self.buffer.data();
        let longest = gap.max_header_bytes();
        // Not all that is there: else every short line and every image would cost a look at what comes after it.
        let end = data.len().min(longest).min(self.pos + LOOK_BYTES);
        let line = memchr(b'\n', &data[self.pos..end]).map(|at| self.pos + at + 1);
        // Three bytes more tell whether an SOI before the end begins an image; no line can end in one that does.
        let to_judge = data.len().min(line.unwrap_or(end) + 3);
        let (reason, len) = match (search::next_image(&data[..to_judge], self.pos), line) {
            (Some(0), _) => {
                if matches!(&self.discarded, Some((reason, _)) if reason.is_frame()) {
                    gap.forget_headers();
                }
                return self.begin_frame();
            }
            (Some(at), _) => (gap.before_image(), at),
            (None, Some(len)) => (gap.line(&data[..len]), len),
            (None, None) if end == longest && (self.ended || data.len() >= end + 3) => {
                (gap.too_long(), end)
            }
            (None, None) if self.ended && end == data.len() && end > 0 => (gap.line(data), end),
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
        self.so_far = Progress::default();
        self.pos = 2;
        self.markers()
    }

    /// From marker to marker, up to the next scan or the end of the frame.
    fn markers(&mut self) -> Step {
        self.state = State::Markers;
        loop {
            let data = self.buffer.window(self.config.max_frame_bytes);
            let ahead = data.get(self.pos..).unwrap_or_default();
            // Any number of fill bytes may come before a marker (B.1.1.2).
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
                    // The segment before is in order, for a marker follows it.
                    (self.so_far.last_segment, self.so_far.last_end) = (at + 1, at + 3);
                    return self.starved(at + 1);
                }
                [] => {
                    self.pos = at - 1;
                    return self.starved(self.pos);
                }
            };
            let length = usize::from(u16::from_be_bytes([hi, lo]));
            let (length_at, payload_at, end) = (at + 1, at + 3, at + 1 + length);
            (self.so_far.last_segment, self.so_far.last_end) = (length_at, end);
            if length < 2 {
                self.so_far.last_end = length_at + usize::from(u16::MAX);
                return self.broken(DiscardReason::Malformed, length_at);
            }
            if end > self.config.max_frame_bytes {
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
            // At its code: fill before it may have been passed in an earlier push.
            if !self
                .budget
                .spend(self.base + at as u64, SEGMENT_COST_BYTES + scan)
            {
                return self.flooded(at);
            }
            match self.so_far.take_segment(code, payload) {
                Segment::Sound => self.pos = end,
                Segment::Malformed => return self.broken(DiscardReason::Malformed, payload_at),
                Segment::Misplaced => return self.contradicted(payload_at),
            }
            if code == marker::SOS {
                self.so_far.last_segment = 0;
                return self.scan();
            }
        }
    }

    /// A marker without a segment stands at `at`, where a segment or EOI should.
    fn lone_marker(&mut self, code: u8, at: usize) -> Step {
        match code {
            marker::EOI if self.so_far.scanned => self.end(at + 1),
            marker::SOI => {
                let len = self.len_without_eoi(at - 1);
                if self.may_end_without_eoi() {
                    self.complete(len)
                } else {
                    self.broken_here(DiscardReason::Truncated, len)
                }
            }
            // RSTn outside a scan, reserved codes, FF 00: no marker stands here. An EOI without an image before it is another frame's.
            _ => self.broken(DiscardReason::Malformed, at + 1),
        }
    }

    fn scan(&mut self) -> Step {
        self.state = State::Scan;
        let data = self.buffer.window(self.config.max_frame_bytes);
        if let Some(at) = search::next_marker(data, self.pos) {
            // Not a call, which would nest as deep as a frame has scans.
            (self.state, self.pos) = (State::Markers, at);
            return Step::Again;
        }
        // The last byte was not judged; it may be the FF of a marker.
        self.pos = data.len().saturating_sub(1).max(self.pos);
        self.starved(self.pos)
    }

    fn may_end_without_eoi(&self) -> bool {
        self.so_far.scanned && self.config.missing_eoi == MissingEoi::Accept
    }

    /// How much of the first `len` bytes, a frame without EOI, is of that frame: in a multipart stream, no more than what comes
    /// before the next delimiter.
    fn len_without_eoi(&self, len: usize) -> usize {
        let Some(gap) = &self.gap else {
            return len;
        };
        let data = &self.buffer.data()[..len];
        // A segment before them may hold anything, delimiters too; and no image can begin in entropy-coded data, so that going
        // back there repeats no work.
        let entropy_coded = walk::segments(data).last().map_or(0, |s| s.payload.end);
        entropy_coded + gap.before_delimiter(&data[entropy_coded..])
    }
}

/// What a segment is to the frame in hand.
enum Segment {
    Sound,
    /// Its payload does not have the form that its marker asks for.
    Malformed,
    /// It is in order, but cannot stand here.
    Misplaced,
}

impl Progress {
    fn take_segment(&mut self, code: u8, payload: &[u8]) -> Segment {
        match code {
            marker::APP0..=marker::APP15 | marker::COM => return Segment::Sound,
            code if marker::is_sof(code) => {
                return match (FrameHeader::parse(code, payload), &mut self.header) {
                    (None, _) => Segment::Malformed,
                    (header, none @ None) => {
                        *none = header;
                        Segment::Sound
                    }
                    // Of a hierarchical image's frame headers the first has the size.
                    (_, Some(first)) if self.hierarchical => {
                        first.plain = false;
                        Segment::Sound
                    }
                    _ => Segment::Misplaced,
                };
            }
            code if !marker::payload_is_sound(code, payload) => return Segment::Malformed,
            marker::SOS if self.header.is_none() => return Segment::Misplaced,
            marker::SOS => self.scanned = true,
            marker::DHP => self.hierarchical = true,
            // B.2.5: defines or redefines the number of lines.
            marker::DNL => {
                if let (Some(header), &[hi, lo]) = (&mut self.header, payload) {
                    header.height = u16::from_be_bytes([hi, lo]);
                }
            }
            _ => {}
        }
        Segment::Sound
    }
}

/// How far [`Splitter::seek_part`] looks at a time.
const LOOK_BYTES: usize = 512;
