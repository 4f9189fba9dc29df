//! The state machine that cuts a byte stream into frames.

use std::ops::Range;

use bytes::{Buf, Bytes, BytesMut};
use memchr::{memchr, memmem};

use crate::{
    config::SplitterConfig,
    error::DiscardReason,
    frame::Frame,
    marker::{self, FrameHeader},
};

/// What the splitter found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A whole frame.
    Frame(Frame),
    /// Bytes that are not part of any frame.
    Discarded {
        /// Why.
        reason: DiscardReason,
        /// Which, in bytes from the start of the stream. Ranges and frames follow one another without gap or overlap.
        range: Range<u64>,
    },
}

/// Cuts raw concatenated JPEG bytes into frames: a state machine over the structure of JPEG (ITU-T T.81).
///
/// Give it bytes with [`push`](Self::push), or let a reader fill its own buffer with
/// [`spare_mut`](Self::spare_mut) and [`filled`](Self::filled); then call [`poll`](Self::poll) until it returns
/// `None`. It never fails: what is not a frame comes out as [`Event::Discarded`].
///
/// ```
/// use std::io::Read;
/// use mjpeg_codec::{Event, Splitter, SplitterConfig};
///
/// # fn read_all(mut reader: impl Read) -> std::io::Result<u64> {
/// let mut splitter = Splitter::new(SplitterConfig::default());
/// let mut frames = 0;
/// loop {
///     let n = reader.read(splitter.spare_mut())?;
///     splitter.filled(n);
///     if n == 0 {
///         splitter.finish();
///     }
///     while let Some(event) = splitter.poll() {
///         frames += u64::from(matches!(event, Event::Frame(_)));
///     }
///     if n == 0 {
///         break Ok(frames);
///     }
/// }
/// # }
/// # assert_eq!(read_all(&b"not a frame"[..]).unwrap(), 0);
/// ```
#[derive(Debug)]
pub struct Splitter {
    config: SplitterConfig,
    /// Bytes not yet reported: `filled` of them received, the rest spare room for the next read.
    buf: BytesMut,
    filled: usize,
    /// Where `buf` begins in the stream.
    base: u64,
    /// Up to where `buf` has been looked at.
    pos: usize,
    state: State,
    ended: bool,
}

/// In all states but `Seek`, `buf` begins at the SOI of the frame in hand.
#[derive(Debug)]
enum State {
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
}

/// What is known of the frame in hand.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    header: Option<FrameHeader>,
    scanned: bool,
    /// Where the payload of the segment just passed begins, or 0. If no marker follows that segment, its length
    /// was false and the search for the next frame goes on inside it.
    last_payload: usize,
}

enum Step {
    Again,
    NeedMore,
    Event(Event),
}

impl Splitter {
    /// Makes a splitter that expects a stream to begin.
    pub fn new(config: SplitterConfig) -> Self {
        Self {
            config,
            buf: BytesMut::new(),
            filled: 0,
            base: 0,
            pos: 0,
            state: State::Seek,
            ended: false,
        }
    }

    /// Appends a chunk of the stream, of any size. Copies it once.
    ///
    /// Poll until `None` before the next push, else the buffer grows by what is pushed.
    pub fn push(&mut self, chunk: impl Into<Bytes>) {
        let chunk: Bytes = chunk.into();
        self.buf.truncate(self.filled);
        self.buf.extend_from_slice(&chunk);
        self.filled += chunk.len();
    }

    /// Room for the next read, at least [`SPARE_BYTES`](Self::SPARE_BYTES) long: a reader that puts its bytes here saves the copy of
    /// [`push`](Self::push).
    pub fn spare_mut(&mut self) -> &mut [u8] {
        if self.buf.len() - self.filled < Self::SPARE_BYTES {
            self.buf.resize(self.filled + 2 * Self::SPARE_BYTES, 0);
        }
        &mut self.buf[self.filled..]
    }

    /// Tells how many bytes the reader has put at the start of [`spare_mut`](Self::spare_mut).
    ///
    /// # Panics
    ///
    /// When that is more than there was room for.
    pub fn filled(&mut self, n: usize) {
        assert!(
            n <= self.buf.len() - self.filled,
            "more bytes filled than spare_mut gave"
        );
        self.filled += n;
    }

    /// Says that the stream has ended: what is in hand can no longer become a whole frame.
    ///
    /// Poll until `None` afterwards; then the splitter is ready for a new stream, whose offsets go on from here.
    pub fn finish(&mut self) {
        self.ended = true;
    }

    /// Takes the next event, or `None` when more bytes are needed.
    pub fn poll(&mut self) -> Option<Event> {
        loop {
            let step = match self.state {
                State::Seek => self.seek(),
                State::Marker(so_far) => self.marker(so_far),
                State::Segment { code, end, so_far } => self.segment(code, end, so_far),
                State::Scan(so_far) => self.scan(so_far),
            };
            match step {
                Step::Again => {}
                Step::Event(event) => return Some(event),
                Step::NeedMore if !self.ended => return None,
                Step::NeedMore => match self.at_end() {
                    Some(event) => return Some(event),
                    None => {
                        self.ended = false;
                        return None;
                    }
                },
            }
        }
    }

    /// Bytes received so far, counted from the start of the stream.
    pub fn position(&self) -> u64 {
        self.base + self.filled as u64
    }

    fn seek(&mut self) -> Step {
        let data = &self.buf[..self.filled];
        let found = memmem::find(&data[self.pos..], &SOI_AND_MARKER).map(|i| self.pos + i);
        // The last two bytes may be the beginning of an SOI.
        let garbage = found.unwrap_or(
            data.len()
                .saturating_sub(SOI_AND_MARKER.len() - 1)
                .max(self.pos),
        );
        if garbage >= GARBAGE_BLOCK_BYTES {
            self.pos = garbage - GARBAGE_BLOCK_BYTES;
            return Step::Event(self.discard(DiscardReason::Garbage, GARBAGE_BLOCK_BYTES));
        }
        self.pos = garbage;
        if found.is_none() {
            return Step::NeedMore;
        }
        self.state = State::Marker(Progress::default());
        self.pos = 2;
        if garbage == 0 {
            return Step::Again;
        }
        Step::Event(self.discard(DiscardReason::Garbage, garbage))
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
        match code {
            marker::SOI => self.broken_here(DiscardReason::Truncated, so_far, at - 1),
            marker::EOI => match so_far.header {
                Some(header) if so_far.scanned => self.complete(header, at + 1),
                _ => self.lost(DiscardReason::Malformed, at + 1),
            },
            code if marker::has_segment(code) => {
                let Some(&[hi, lo]) = data.get(at + 1..at + 3) else {
                    return self.starved(at + 1);
                };
                let (payload, length) = (at + 3, usize::from(u16::from_be_bytes([hi, lo])));
                let end = at + 1 + length;
                so_far.last_payload = payload;
                if length < 2 {
                    return self.broken(DiscardReason::Malformed, so_far, at + 1);
                }
                if end > self.config.max_frame_bytes {
                    return self.broken(DiscardReason::TooLarge, so_far, at + 1);
                }
                self.pos = payload;
                self.state = State::Segment { code, end, so_far };
                Step::Again
            }
            // RSTn outside a scan, reserved codes, FF 00: no marker stands here.
            _ => self.broken(DiscardReason::Malformed, so_far, at + 1),
        }
    }

    fn segment(&mut self, code: u8, end: usize, mut so_far: Progress) -> Step {
        let Some(payload) = self.buf[..self.filled].get(self.pos..end) else {
            return Step::NeedMore;
        };
        let sound = if marker::is_sof(code) {
            let header = FrameHeader::parse(code, payload);
            // A hierarchical sequence has several frame headers; the first non-differential one has the size.
            so_far.header = so_far.header.or(header);
            header.is_some()
        } else {
            let after_header = so_far.header.is_some() || code != marker::SOS;
            after_header && marker::payload_is_sound(code, payload)
        };
        if !sound {
            return self.broken(DiscardReason::Malformed, so_far, self.pos);
        }
        if let (marker::DNL, Some(header), &[hi, lo]) = (code, &mut so_far.header, payload) {
            // B.2.5: defines or redefines the number of lines.
            header.height = u16::from_be_bytes([hi, lo]);
        }
        self.pos = end;
        self.state = if code == marker::SOS {
            so_far.scanned = true;
            State::Scan(so_far)
        } else {
            State::Marker(so_far)
        };
        Step::Again
    }

    fn scan(&mut self, mut so_far: Progress) -> Step {
        let data = self.window();
        let mut pos = self.pos;
        while let Some(i) = memchr(0xFF, &data[pos..]) {
            let at = pos + i;
            match data.get(at + 1) {
                Some(0x00 | marker::RST0..=marker::RST7) => pos = at + 2,
                Some(0xFF) => pos = at + 1,
                Some(_) => {
                    so_far.last_payload = 0;
                    self.pos = at;
                    self.state = State::Marker(so_far);
                    return Step::Again;
                }
                None => {
                    self.pos = at;
                    return self.starved(at);
                }
            }
        }
        self.pos = data.len();
        self.starved(self.pos)
    }

    /// What may be looked at of the frame in hand: no more than a frame may have, so that the verdict on one that is too
    /// large does not depend on how much has come beyond the limit.
    fn window(&self) -> &[u8] {
        &self.buf[..self.filled.min(self.config.max_frame_bytes)]
    }

    /// The window ends before the frame does: more bytes are needed, or it is too large.
    fn starved(&mut self, resume: usize) -> Step {
        if self.filled < self.config.max_frame_bytes {
            return Step::NeedMore;
        }
        self.lost(DiscardReason::TooLarge, resume)
    }

    /// The stream ended and the state in hand needs more bytes.
    fn at_end(&mut self) -> Option<Event> {
        if self.filled == 0 {
            self.pos = 0;
            return None;
        }
        let reason = match self.state {
            State::Seek => DiscardReason::Garbage,
            State::Segment { .. } | State::Marker(_) | State::Scan(_) => DiscardReason::Truncated,
        };
        self.state = State::Seek;
        self.pos = 0;
        Some(self.discard(reason, self.filled))
    }

    fn complete(&mut self, header: FrameHeader, len: usize) -> Step {
        let offset = self.base;
        let bytes = self.buf.split_to(len).freeze();
        self.moved_on(len);
        self.state = State::Seek;
        self.pos = 0;
        Step::Event(Event::Frame(Frame::new(bytes, offset, header)))
    }

    /// The frame in hand is no frame. If a segment was just passed, its length is what cannot be trusted, and the
    /// next frame may begin inside it; otherwise the search goes on at `at`.
    fn broken(&mut self, reason: DiscardReason, so_far: Progress, at: usize) -> Step {
        let resume = if so_far.last_payload > 0 {
            so_far.last_payload.min(at)
        } else {
            at
        };
        self.broken_here(reason, so_far, resume)
    }

    /// Like [`Self::broken`], but the search goes on at `at`. A lone SOI is not worth the name of a frame and becomes garbage.
    fn broken_here(&mut self, reason: DiscardReason, so_far: Progress, at: usize) -> Step {
        if so_far.last_payload == 0 && !so_far.scanned {
            self.state = State::Seek;
            self.pos = 2;
            return Step::Again;
        }
        self.lost(reason, at)
    }

    /// Drops the frame in hand up to `upto` and looks for the next one from there.
    fn lost(&mut self, reason: DiscardReason, upto: usize) -> Step {
        self.state = State::Seek;
        self.pos = 0;
        Step::Event(self.discard(reason, upto))
    }

    fn discard(&mut self, reason: DiscardReason, len: usize) -> Event {
        let start = self.base;
        self.buf.advance(len);
        self.moved_on(len);
        Event::Discarded {
            reason,
            range: start..self.base,
        }
    }

    fn moved_on(&mut self, len: usize) {
        self.filled -= len;
        self.base += len as u64;
    }

    /// The least room that [`spare_mut`](Self::spare_mut) gives, in bytes.
    pub const SPARE_BYTES: usize = 64 << 10;
}

/// An SOI, and the first byte of the marker that must follow it.
const SOI_AND_MARKER: [u8; 3] = [0xFF, marker::SOI, 0xFF];

/// Garbage is reported in pieces of at most this size, so that endless garbage is counted while it comes and costs
/// no memory.
const GARBAGE_BLOCK_BYTES: usize = 64 << 10;
