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
            State::Seek => self.seek(),
            State::Marker(so_far) => self.markers(so_far),
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

    /// From marker to marker, up to the next scan or the end of the frame.
    fn markers(&mut self, mut so_far: Progress) -> Step {
        loop {
            let data = self.window();
            let Some(&first) = data.get(self.pos) else {
                return self.starved(State::Marker(so_far), self.pos);
            };
            if first != 0xFF {
                return self.broken(DiscardReason::Malformed, so_far, self.pos);
            }
            // Any number of fill bytes may come before a marker (B.1.1.2).
            let Some(fill) = data[self.pos..].iter().position(|&b| b != 0xFF) else {
                self.pos = data.len() - 1;
                return self.starved(State::Marker(so_far), self.pos);
            };
            let at = self.pos + fill;
            let code = data[at];
            if !marker::has_segment(code) {
                return self.lone_marker(code, at, so_far);
            }
            let Some(&[hi, lo]) = data.get(at + 1..at + 3) else {
                return self.starved(State::Marker(so_far), at + 1);
            };
            let length = usize::from(u16::from_be_bytes([hi, lo]));
            let (length_at, payload_at, end) = (at + 1, at + 3, at + 1 + length);
            (so_far.last_segment, so_far.last_end) = (length_at, end);
            if length < 2 {
                so_far.last_end = length_at + usize::from(u16::MAX);
                return self.broken(DiscardReason::Malformed, so_far, length_at);
            }
            if end > self.config.max_frame_bytes {
                return self.broken(DiscardReason::TooLarge, so_far, length_at);
            }
            let Some(payload) = data.get(payload_at..end) else {
                self.state = State::Marker(so_far);
                return Step::NeedMore;
            };
            match so_far.take_segment(code, payload) {
                Segment::Sound => self.pos = end,
                Segment::Malformed => {
                    return self.broken(DiscardReason::Malformed, so_far, payload_at);
                }
                Segment::Misplaced => return self.contradicted(so_far, payload_at),
            }
            if code == marker::SOS {
                return self.scan(so_far);
            }
        }
    }

    /// A marker without a segment stands at `at`, where a segment or EOI should.
    fn lone_marker(&mut self, code: u8, at: usize, so_far: Progress) -> Step {
        match (code, so_far.header) {
            (marker::EOI, Some(header)) if so_far.scanned => self.end(header, at + 1),
            (marker::SOI, header) => {
                let accept = self.config.missing_eoi == MissingEoi::Accept;
                let len = self.len_without_eoi(at - 1);
                match header {
                    Some(header) if so_far.scanned && accept => self.complete(header, len),
                    _ => self.broken_here(DiscardReason::Truncated, so_far, len),
                }
            }
            // RSTn outside a scan, reserved codes, FF 00: no marker stands here. An EOI without an image before it is another frame's.
            _ => self.broken(DiscardReason::Malformed, so_far, at + 1),
        }
    }

    fn scan(&mut self, mut so_far: Progress) -> Step {
        so_far.last_segment = 0;
        let data = self.window();
        match search::next_marker(data, self.pos) {
            Some(at) => {
                self.pos = at;
                self.state = State::Marker(so_far);
                Step::Again
            }
            None => {
                // The last byte was not judged; it may be the FF of a marker.
                self.pos = data.len().saturating_sub(1).max(self.pos);
                self.starved(State::Scan(so_far), self.pos)
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
