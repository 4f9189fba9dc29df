//! The state machine that cuts a byte stream into frames.

use std::ops::Range;

use bytes::{Buf, Bytes, BytesMut};

use crate::{config::SplitterConfig, error::DiscardReason, frame::Frame, marker::FrameHeader};

mod steps;

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
        let mut bytes = self.buf.split_to(len).freeze();
        if len < SMALL_FRAME_BYTES {
            // A slice keeps the whole read buffer alive for as long as somebody holds the frame.
            bytes = Bytes::copy_from_slice(&bytes);
        } else if len >= LARGE_FRAME_BYTES {
            // Else the rest of a buffer that grew for this frame would be kept alive by smaller ones after it.
            self.buf = BytesMut::from(&self.buf[..self.filled - len]);
        }
        self.moved_on(len);
        self.state = State::Seek;
        self.pos = 0;
        Step::Event(Event::Frame(Frame::new(bytes, offset, header)))
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

/// Frames shorter than this are copied out of the read buffer, longer ones are slices of it: a held frame never keeps more than a few
/// times its own size, and a long one costs no copy.
const SMALL_FRAME_BYTES: usize = 64 << 10;

/// After a frame as long as this, reading goes on in a new buffer.
const LARGE_FRAME_BYTES: usize = 256 << 10;
