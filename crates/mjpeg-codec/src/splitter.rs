//! The state machine that cuts a byte stream into frames.

use std::{collections::VecDeque, ops::Range};

use bytes::Bytes;

use crate::{
    config::SplitterConfig,
    error::DiscardReason,
    frame::Frame,
    marker::FrameHeader,
    multipart::{Gap, PartHeaders},
};

mod budget;
mod buffer;
mod resync;
mod steps;

use budget::Budget;
use buffer::Buffer;
use resync::Fill;
use steps::{Progress, State, Step};

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
    /// Bytes received that are not yet part of a frame or of a discarded range.
    buffer: Buffer,
    /// Where `buffer` begins in the stream.
    base: u64,
    /// Up to where `buffer` has been looked at.
    pos: usize,
    state: State,
    so_far: Progress,
    /// Where the last segment that was not trusted claimed to end. A frame that begins before may be one that the
    /// segment holds.
    untrusted_end: u64,
    /// Where a frame was last found to hold segments of another one.
    contradicted_at: u64,
    fill: Fill,
    budget: Budget,
    /// Where the frame broke that was last found broken.
    pub(crate) broke_at: u64,
    /// What was discarded last, and up to where; more of it may follow.
    discarded: Option<(DiscardReason, Range<u64>)>,
    /// Events waiting to be taken.
    events: VecDeque<Event>,
    /// Reads what stands between the images of a multipart stream; not there where a stream is nothing but images.
    gap: Option<Box<Gap>>,
    ended: bool,
}

impl Splitter {
    /// Makes a splitter that expects a stream to begin.
    pub fn new(config: SplitterConfig) -> Self {
        Self {
            budget: Budget::new(config.flood_allowance_bytes),
            config,
            buffer: Buffer::new(),
            base: 0,
            pos: 0,
            state: State::Seek,
            so_far: Progress::default(),
            untrusted_end: 0,
            contradicted_at: 0,
            fill: Fill::default(),
            broke_at: 0,
            discarded: None,
            events: VecDeque::new(),
            gap: None,
            ended: false,
        }
    }

    pub(crate) fn with_gap(config: SplitterConfig, gap: Gap) -> Self {
        Self {
            gap: Some(Box::new(gap)),
            ..Self::new(config)
        }
    }

    /// Appends a chunk of the stream, of any size. Copies it once.
    ///
    /// Poll until `None` before the next push, else the buffer grows by what is pushed.
    pub fn push(&mut self, chunk: impl Into<Bytes>) {
        self.buffer.extend(&chunk.into());
    }

    /// Room for the next read, at least [`SPARE_BYTES`](Self::SPARE_BYTES) long: a reader that puts its bytes here saves the copy of
    /// [`push`](Self::push).
    pub fn spare_mut(&mut self) -> &mut [u8] {
        self.buffer.spare_mut(Self::SPARE_BYTES)
    }

    /// Tells how many bytes the reader has put at the start of [`spare_mut`](Self::spare_mut).
    ///
    /// # Panics
    ///
    /// When that is more than there was room for.
    pub fn filled(&mut self, n: usize) {
        self.buffer.filled(n);
    }

    /// Says that the stream has ended: what is in hand can no longer become a whole frame.
    ///
    /// Poll until `None` afterwards; then the splitter is ready for a new stream, whose offsets go on from here.
    pub fn finish(&mut self) {
        self.ended = true;
    }

    /// The headers of the part in hand, of a multipart stream.
    pub(crate) fn gap_headers(&self) -> Option<&PartHeaders> {
        self.gap.as_deref().map(Gap::headers)
    }

    /// How much memory the buffers take.
    #[cfg(feature = "__fuzzing")]
    pub(crate) fn buffer_bytes(&self) -> usize {
        self.buffer.size_bytes()
    }

    /// Takes the next event, or `None` when more bytes are needed.
    pub fn poll(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            match self.step() {
                Step::Again => {}
                Step::NeedMore if !self.ended => return None,
                Step::NeedMore if self.buffer.data().is_empty() => {
                    self.ended = false;
                    self.untrusted_end = 0;
                    self.budget.restart(self.base);
                    if let Some(gap) = &mut self.gap {
                        gap.stream_ended();
                    }
                    self.report_discarded();
                    return self.events.pop_front();
                }
                Step::NeedMore => self.at_end(),
            }
        }
    }

    /// Lets the first `len` bytes go as a frame.
    fn take_frame(&mut self, header: FrameHeader, len: usize) {
        self.report_discarded();
        let (bytes, memory_bytes) = self.buffer.take(len);
        let mut frame = Frame::new(bytes, self.base, header);
        frame.memory_bytes = memory_bytes;
        self.base += len as u64;
        self.events.push_back(Event::Frame(frame));
    }

    /// Lets the first `len` bytes go. Garbage that follows a broken frame is taken for the rest of it.
    fn discard(&mut self, reason: DiscardReason, len: usize) {
        let mut at = self.base;
        self.buffer.advance(len);
        self.base += len as u64;
        while at < self.base {
            match &mut self.discarded {
                Some((last, range)) if goes_with(reason, *last, range) => {
                    let most = if reason.is_frame() {
                        u64::MAX
                    } else {
                        PIECE_BYTES
                    };
                    at = self.base.min(range.start.saturating_add(most));
                    range.end = at;
                }
                _ => {
                    self.report_discarded();
                    // A broken frame is one range, however long it was.
                    let end = if reason.is_frame() { self.base } else { at };
                    self.discarded = Some((reason, at..end));
                    at = end;
                }
            }
        }
    }

    fn report_discarded(&mut self) {
        if let Some((reason, range)) = self.discarded.take() {
            self.events.push_back(Event::Discarded { reason, range });
        }
    }

    /// The least room that [`spare_mut`](Self::spare_mut) gives, in bytes.
    pub const SPARE_BYTES: usize = 64 << 10;
}

/// What is not a frame, nor the beginning of one, is reported in pieces of at most this size, so that endless garbage is counted
/// while it comes. Garbage after a broken frame makes one range with it up to this size.
const PIECE_BYTES: u64 = 64 << 10;

/// Whether bytes discarded for `reason` make one range with those before them.
fn goes_with(reason: DiscardReason, last: DiscardReason, range: &Range<u64>) -> bool {
    let len = range.end - range.start;
    if reason.is_frame() {
        return last.is_frame() && len < DEBRIS_BYTES;
    }
    let rest_of_broken = reason == DiscardReason::Garbage && last.is_frame();
    (reason == last || rest_of_broken) && len < PIECE_BYTES
}

/// Two broken frames that begin within so few bytes count as one: no frame is so short.
const DEBRIS_BYTES: u64 = 64;
