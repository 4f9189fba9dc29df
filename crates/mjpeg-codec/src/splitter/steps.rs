//! The steps of the state machine: what each state makes of the bytes at hand.

use memchr::memchr;

use super::Splitter;
use crate::{
    config::MissingEoi,
    error::DiscardReason,
    marker::{self, FrameHeader},
    search,
};

/// In all states but `Seek`, the buffer begins at the SOI of the frame in hand.
#[derive(Clone, Copy, Debug)]
pub(super) enum State {
    /// Looking for an SOI; what lies before it is garbage.
    Seek,
    /// `pos` is where a marker must stand.
    Marker(Progress),
    /// A segment's payload lies at `pos..end`.
    Segment {
        code: u8,
        end: usize,
        so_far: Progress,
    },
    /// `pos` is inside entropy-coded data.
    Scan(Progress),
    /// The frame in hand is whole and `len` long. It was found inside a segment that was not trusted; what follows
    /// it tells whether it belongs there.
    Inside { header: FrameHeader, len: usize },
}

/// What is known of the frame in hand.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    header: Option<FrameHeader>,
    /// A DHP segment was there: several frame headers make up one image (T.81 annex J).
    hierarchical: bool,
    scanned: bool,
    /// Where the length field of the segment just passed stands, or 0. If no marker follows that segment, its length
    /// was false and the search for the next frame goes on there.
    last_segment: usize,
    /// Where the segment just passed claims to end.
    last_end: usize,
}

pub(super) enum Step {
    Again,
    NeedMore,
}

impl Splitter {
    pub(super) fn step(&mut self) -> Step {
        match self.state {
            State::Seek => self.seek(),
            State::Marker(so_far) => self.marker(so_far),
            State::Segment { code, end, so_far } => self.segment(code, end, so_far),
            State::Scan(so_far) => self.scan(so_far),
            State::Inside { header, len } => self.inside(header, len),
        }
    }

    /// The stream has ended, and the state in hand needs more bytes.
    pub(super) fn at_end(&mut self) {
        let len = self.buffer.data().len();
        let accept = self.config.missing_eoi == MissingEoi::Accept;
        match self.state {
            State::Seek => self.skip(len),
            State::Inside { header, len } => self.complete(header, len),
            State::Marker(so_far) | State::Scan(so_far) => {
                let len = self.len_without_eoi(len);
                match so_far.header {
                    Some(header) if so_far.scanned && accept => self.complete(header, len),
                    _ => self.broken(DiscardReason::Truncated, so_far, len),
                }
            }
            State::Segment { so_far, .. } => self.broken(DiscardReason::Truncated, so_far, len),
        };
    }

    fn seek(&mut self) -> Step {
        if self.gap.is_some() {
            return self.seek_part();
        }
        let data = self.buffer.data();
        let found = search::next_image(data, self.pos);
        // An SOI may begin in the last three bytes, which the search does not judge.
        let garbage = found.unwrap_or(data.len().saturating_sub(3).max(self.pos.min(data.len())));
        self.pos = 0;
        if found.is_some() {
            self.state = State::Marker(Progress::default());
            self.pos = 2;
        }
        if garbage > 0 {
            self.discard(DiscardReason::Garbage, garbage);
            return Step::Again;
        }
        if found.is_some() {
            Step::Again
        } else {
            Step::NeedMore
        }
    }

    /// Like [`Self::seek`] in a multipart stream: line by line up to the next image.
    fn seek_part(&mut self) -> Step {
        let Some(gap) = &mut self.gap else {
            return Step::NeedMore;
        };
        let data = self.buffer.data();
        // A line that is too long is the same whatever has come of it.
        let window = &data[..data.len().min(gap.max_header_bytes())];
        let image = search::next_image(&data[..data.len().min(window.len() + 3)], self.pos);
        let line = memchr(b'\n', &window[self.pos..image.unwrap_or(window.len())]);
        let (reason, len) = match (line, image) {
            (Some(i), _) => {
                let len = self.pos + i + 1;
                (gap.line(&window[..len]), len)
            }
            (None, Some(0)) => {
                self.state = State::Marker(Progress::default());
                self.pos = 2;
                return Step::Again;
            }
            (None, Some(at)) => (gap.no_line(), at),
            (None, None)
                if window.len() == gap.max_header_bytes() && data.len() >= window.len() + 3 =>
            {
                (gap.no_line(), window.len())
            }
            (None, None) => {
                // An SOI may begin in the last three bytes, which the search does not judge.
                self.pos = window.len().saturating_sub(3).max(self.pos);
                return Step::NeedMore;
            }
        };
        self.discard(reason, len);
        self.restart()
    }

    fn marker(&mut self, mut so_far: Progress) -> Step {
        let data = self.window();
        let Some(&first) = data.get(self.pos) else {
            return self.starved(self.pos);
        };
        if first != 0xFF {
            return self.broken(DiscardReason::Malformed, so_far, self.pos);
        }
        // Any number of fill bytes may come before a marker (B.1.1.2).
        let Some(fill) = data[self.pos..].iter().position(|&b| b != 0xFF) else {
            self.pos = data.len() - 1;
            return self.starved(self.pos);
        };
        let at = self.pos + fill;
        let code = data[at];
        let accept = self.config.missing_eoi == MissingEoi::Accept;
        match (code, so_far.header) {
            (marker::SOI, header) => {
                let len = self.len_without_eoi(at - 1);
                match header {
                    Some(header) if so_far.scanned && accept => self.complete(header, len),
                    _ => self.broken_here(DiscardReason::Truncated, so_far, len),
                }
            }
            (marker::EOI, Some(header)) if so_far.scanned => self.end(header, at + 1),
            (marker::EOI, _) => self.broken(DiscardReason::Malformed, so_far, at + 1),
            (code, _) if marker::has_segment(code) => {
                let Some(&[hi, lo]) = data.get(at + 1..at + 3) else {
                    return self.starved(at + 1);
                };
                let length = usize::from(u16::from_be_bytes([hi, lo]));
                let end = at + 1 + length;
                so_far.last_segment = at + 1;
                so_far.last_end = end;
                if length < 2 {
                    so_far.last_end = at + 1 + usize::from(u16::MAX);
                    return self.broken(DiscardReason::Malformed, so_far, at + 1);
                }
                if end > self.config.max_frame_bytes {
                    return self.broken(DiscardReason::TooLarge, so_far, at + 1);
                }
                self.pos = at + 3;
                self.state = State::Segment { code, end, so_far };
                Step::Again
            }
            // RSTn outside a scan, reserved codes, FF 00: no marker stands here.
            _ => self.broken(DiscardReason::Malformed, so_far, at + 1),
        }
    }

    fn segment(&mut self, code: u8, end: usize, mut so_far: Progress) -> Step {
        let Some(payload) = self.buffer.data().get(self.pos..end) else {
            return Step::NeedMore;
        };
        match so_far.take_segment(code, payload) {
            Segment::Sound => {}
            Segment::Malformed => return self.broken(DiscardReason::Malformed, so_far, self.pos),
            Segment::Misplaced => return self.contradicted(so_far),
        }
        self.pos = end;
        self.state = if code == marker::SOS {
            State::Scan(so_far)
        } else {
            State::Marker(so_far)
        };
        Step::Again
    }

    fn scan(&mut self, mut so_far: Progress) -> Step {
        let data = self.window();
        match search::next_marker(data, self.pos) {
            Some(at) => {
                so_far.last_segment = 0;
                self.pos = at;
                self.state = State::Marker(so_far);
                Step::Again
            }
            None => {
                // The last byte was not judged; it may be the FF of a marker.
                self.pos = data.len().saturating_sub(1).max(self.pos);
                self.starved(self.pos)
            }
        }
    }

    /// How much of the first `len` bytes, a frame without EOI, is of that frame: all of it, unless a delimiter comes before their end.
    fn len_without_eoi(&self, len: usize) -> usize {
        let data = &self.buffer.data()[..len];
        match &self.gap {
            Some(gap) => gap.before_delimiter(data).len(),
            None => len,
        }
    }

    fn end(&mut self, header: FrameHeader, len: usize) -> Step {
        if self.base >= self.untrusted_end {
            return self.complete(header, len);
        }
        self.state = State::Inside { header, len };
        Step::Again
    }

    /// A thumbnail ends where its segment does, or what its frame goes on with comes after it: a segment without an SOI before it.
    /// After a frame of the stream comes anything but that.
    fn inside(&mut self, header: FrameHeader, len: usize) -> Step {
        let embedded = match self.buffer.data().get(len..len + 2) {
            _ if self.base + len as u64 == self.untrusted_end => true,
            Some(&[first, code]) => first == 0xFF && marker::has_segment(code),
            _ => return Step::NeedMore,
        };
        if embedded {
            return self.skip(len);
        }
        self.complete(header, len)
    }

    /// What may be looked at of the frame in hand: no more than a frame may have, so that the verdict on one that is too
    /// large does not depend on how much has come beyond the limit.
    fn window(&self) -> &[u8] {
        let data = self.buffer.data();
        &data[..data.len().min(self.config.max_frame_bytes)]
    }

    /// The window ends before the frame does: more bytes are needed, or it is too large.
    fn starved(&mut self, resume: usize) -> Step {
        if self.buffer.data().len() < self.config.max_frame_bytes {
            return Step::NeedMore;
        }
        self.lost(DiscardReason::TooLarge, resume)
    }

    /// The frame in hand is no frame. If a segment was just passed, its length is what cannot be trusted, and the
    /// next frame may begin inside it; otherwise the search goes on at `at`.
    fn broken(&mut self, reason: DiscardReason, so_far: Progress, at: usize) -> Step {
        self.broke_at = self.base + at as u64;
        let resume = if so_far.last_segment > 0 {
            let claimed = self.base + so_far.last_end as u64;
            self.untrusted_end = self.untrusted_end.max(claimed);
            so_far.last_segment.min(at)
        } else {
            at
        };
        self.broken_here(reason, so_far, resume)
    }

    /// The segment in hand belongs to another frame: one before it has a false length all the same as a marker follows it. The search goes
    /// on inside all of them; once for any place in the stream, so that the work stays in proportion to the bytes.
    fn contradicted(&mut self, so_far: Progress) -> Step {
        let here = self.base + self.pos as u64;
        if here <= self.contradicted_at {
            return self.broken(DiscardReason::Malformed, so_far, self.pos);
        }
        self.contradicted_at = here;
        self.lost(DiscardReason::Malformed, 2)
    }

    /// Like [`Self::broken`], but the search goes on at `at`. A lone SOI is not worth the name of a frame and becomes garbage.
    fn broken_here(&mut self, reason: DiscardReason, so_far: Progress, at: usize) -> Step {
        if so_far.last_segment == 0 && !so_far.scanned {
            self.state = State::Seek;
            self.pos = 2;
            return Step::Again;
        }
        self.lost(reason, at)
    }

    fn complete(&mut self, header: FrameHeader, len: usize) -> Step {
        self.take_frame(header, len);
        // The segment before it was false, for this was no part of it.
        self.untrusted_end = 0;
        self.image_ended()
    }

    /// Drops the frame in hand up to `upto` and looks for the next one from there.
    fn lost(&mut self, reason: DiscardReason, upto: usize) -> Step {
        self.discard(reason, upto);
        self.image_ended()
    }

    fn skip(&mut self, len: usize) -> Step {
        self.discard(DiscardReason::Garbage, len);
        self.restart()
    }

    fn image_ended(&mut self) -> Step {
        if let Some(gap) = &mut self.gap {
            gap.image_ended();
        }
        self.restart()
    }

    fn restart(&mut self) -> Step {
        self.state = State::Seek;
        self.pos = 0;
        Step::Again
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
        if !marker::payload_is_sound(code, payload) {
            return Segment::Malformed;
        }
        match (code, &mut self.header, payload) {
            (code, header, payload) if marker::is_sof(code) => {
                let new = FrameHeader::parse(code, payload);
                match header {
                    None => *header = new,
                    // Of a hierarchical image's frame headers the first has the size.
                    Some(first) if self.hierarchical => first.plain = false,
                    Some(_) => return Segment::Misplaced,
                }
            }
            (marker::SOS, None, _) => return Segment::Misplaced,
            // B.2.5: defines or redefines the number of lines.
            (marker::DNL, Some(header), &[hi, lo]) => header.height = u16::from_be_bytes([hi, lo]),
            _ => {}
        }
        self.hierarchical |= code == marker::DHP;
        self.scanned |= code == marker::SOS;
        Segment::Sound
    }
}
