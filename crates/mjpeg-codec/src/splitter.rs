//! The state machine that cuts a byte stream into frames.

use std::{collections::VecDeque, ops::Range};

use bytes::Bytes;

use crate::{
    config::SplitterConfig,
    error::DiscardReason,
    found::Found,
    frame::Frame,
    framing::{FramingReader, headers::PartHeaders},
    jpeg::frame_header::FrameHeader,
};

mod budget;
mod buffer;
mod fill;
mod pool;
mod resync;
mod seek;
mod state;
mod steps;
mod whole;

use budget::Budget;
use buffer::Buffer;
use fill::Fill;
use state::{Progress, State, Step};

/// Cuts concatenated JPEG images into frames: a state machine over the structure of JPEG (ITU-T
/// T.81).
///
/// Feed it with [`push`](Self::push), or let a reader fill the splitter's own buffer with
/// [`spare_mut`](Self::spare_mut) and [`filled`](Self::filled). Then call [`poll`](Self::poll)
/// until it returns `None`. It never fails: bytes that are not a frame come out as
/// [`Found::Discarded`].
///
/// ```
/// use std::io::Read;
/// use mjpeg_codec::{Found, Splitter};
///
/// # fn read_all(mut reader: impl Read) -> std::io::Result<u64> {
/// let mut splitter = Splitter::default();
/// let mut frames = 0;
/// loop {
///     let n = reader.read(splitter.spare_mut())?;
///     splitter.filled(n);
///     if n == 0 {
///         splitter.finish();
///     }
///     while let Some(found) = splitter.poll() {
///         frames += u64::from(matches!(found, Found::Frame(_)));
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
    /// The bytes received that are not yet part of a frame or of a discarded range.
    buffer: Buffer,
    /// Where `buffer` begins in the stream.
    base: u64,
    /// How far `buffer` has been examined.
    pos: usize,
    state: State,
    progress: Progress,
    /// Where the latest untrusted segment claimed to end. A frame that begins before this place may
    /// be embedded in the segment.
    untrusted_end: u64,
    /// Where a frame was last found to hold segments of another one.
    contradicted_at: u64,
    fill: Fill,
    budget: Budget,
    /// Where the latest broken frame broke.
    broke_at: u64,
    /// The latest discarded range and its reason. The range may still grow.
    discarded: Option<(DiscardReason, Range<u64>)>,
    /// Findings to be polled.
    found: VecDeque<Found>,
    /// Reads the bytes between the images of a multipart stream; `None` for a stream that holds
    /// nothing but images.
    framing: Option<Box<FramingReader>>,
    ended: bool,
}

impl Default for Splitter {
    fn default() -> Self {
        Self::new(SplitterConfig::default())
    }
}

impl Splitter {
    /// Creates a splitter that expects the beginning of a stream.
    pub fn new(config: SplitterConfig) -> Self {
        Self {
            budget: Budget::new(config.flood_allowance_bytes()),
            config,
            buffer: Buffer::new(),
            base: 0,
            pos: 0,
            state: State::Seek,
            progress: Progress::default(),
            untrusted_end: 0,
            contradicted_at: 0,
            fill: Fill::default(),
            broke_at: 0,
            discarded: None,
            found: VecDeque::new(),
            framing: None,
            ended: false,
        }
    }

    /// Creates a splitter for a multipart stream.
    pub(crate) fn with_framing(config: SplitterConfig, framing: FramingReader) -> Self {
        Self {
            framing: Some(Box::new(framing)),
            ..Self::new(config)
        }
    }

    /// Appends a chunk of the stream, of any size. Copies it once.
    ///
    /// Poll until `None` before the next push; otherwise the buffer grows by the chunk's length.
    pub fn push(&mut self, chunk: impl Into<Bytes>) {
        self.push_slice(&chunk.into());
    }

    pub(crate) fn push_slice(&mut self, chunk: &[u8]) {
        self.buffer.extend(chunk);
    }

    /// Returns room for the next read, at least [`SPARE_BYTES`](Self::SPARE_BYTES) long. Reading
    /// into it saves the copy that [`push`](Self::push) makes.
    pub fn spare_mut(&mut self) -> &mut [u8] {
        self.buffer.spare_mut(Self::SPARE_BYTES)
    }

    /// Takes the first `n` bytes of [`spare_mut`](Self::spare_mut) as the next bytes of the stream.
    ///
    /// # Panics
    ///
    /// If `n` exceeds the length of that room.
    pub fn filled(&mut self, n: usize) {
        self.buffer.filled(n);
    }

    /// Ends the stream: the bytes received so far can no longer become a whole frame.
    ///
    /// Poll until `None` afterwards. Then the splitter is ready for a new stream, whose offsets
    /// continue from here.
    pub fn finish(&mut self) {
        self.ended = true;
    }

    /// Returns the headers of the current part of a multipart stream.
    pub(crate) fn part_headers(&self) -> Option<&PartHeaders> {
        self.framing.as_deref().map(FramingReader::headers)
    }

    /// Returns how much memory the buffers take.
    #[cfg(feature = "__fuzzing")]
    pub(crate) fn buffer_bytes(&self) -> usize {
        self.buffer.size_bytes()
    }

    /// Returns the next frame or discarded range, or `None` if it needs more bytes.
    pub fn poll(&mut self) -> Option<Found> {
        loop {
            if let Some(found) = self.found.pop_front() {
                return Some(found);
            }
            match self.step() {
                Step::Again => {}
                Step::NeedMore if !self.ended => return None,
                Step::NeedMore if self.buffer.data().is_empty() => {
                    self.ended = false;
                    self.untrusted_end = 0;
                    self.budget.restart(self.base);
                    if let Some(framing) = &mut self.framing {
                        framing.stream_ended();
                    }
                    self.report_discarded();
                    return self.found.pop_front();
                }
                Step::NeedMore => self.at_end(),
            }
        }
    }

    /// Releases the first `len` bytes as a frame.
    fn take_frame(&mut self, header: FrameHeader, len: usize) {
        self.report_discarded();
        let (bytes, memory_bytes) = self.buffer.take(len);
        let frame = Frame::new(bytes, memory_bytes, self.base, header);
        self.base += len as u64;
        self.found.push_back(Found::Frame(frame));
    }

    /// Discards the first `len` bytes. Garbage after a broken frame counts as the rest of it.
    fn discard(&mut self, reason: DiscardReason, len: usize) {
        let mut at = self.base;
        self.buffer.advance(len);
        self.base += len as u64;
        while at < self.base {
            match &mut self.discarded {
                Some((last, range)) if joins(reason, *last, range) => {
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
            self.found.push_back(Found::Discarded { reason, range });
        }
    }

    /// The minimum room that [`spare_mut`](Self::spare_mut) returns, in bytes.
    pub const SPARE_BYTES: usize = 64 << 10;
}

/// Returns whether bytes discarded for `reason` join the range discarded before them.
fn joins(reason: DiscardReason, last: DiscardReason, range: &Range<u64>) -> bool {
    let len = range.end - range.start;
    if reason.is_frame() {
        return last.is_frame() && len < DEBRIS_BYTES;
    }
    let rest_of_broken = reason == DiscardReason::Garbage && last.is_frame();
    (reason == last || rest_of_broken) && len < PIECE_BYTES
}

/// The longest range that does not begin with a broken frame. Longer ones are reported in pieces,
/// so that endless garbage is counted as it comes. Garbage joins a broken frame up to this length.
const PIECE_BYTES: u64 = 64 << 10;

/// Broken frames that begin within so few bytes count as one: no frame is so short.
const DEBRIS_BYTES: u64 = 64;
