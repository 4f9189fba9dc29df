//! The state machine that cuts a byte stream into frames.

use std::{collections::VecDeque, ops::Range};

use bytes::Bytes;

use crate::{
    config::SplitterConfig,
    error::DiscardReason,
    found::{Found, Polled},
    framing::{FramingReader, headers::PartHeaders},
};

mod budget;
mod buffer;
mod fill;
mod output;
mod pool;
mod resync;
mod seek;
mod state;
mod steps;
mod unended;
mod whole;

use budget::Budget;
use buffer::Buffer;
use fill::Fill;
use state::{Progress, SplitterState, StepOutcome};

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
    state: SplitterState,
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
    /// The bytes before `buffer` are those of a broken frame, or garbage behind one.
    after_broken: bool,
    /// The work done and not yet reported by [`poll_within`](Self::poll_within).
    work: usize,
    /// The one frame of this stream came out, and no other is wanted.
    is_done: bool,
    /// Findings to be polled.
    found: VecDeque<Found>,
    /// Reads the bytes between the images of a multipart stream; `None` for a stream that holds
    /// nothing but images.
    framing: Option<Box<FramingReader>>,
    ended: Option<StreamEnd>,
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StreamEnd {
    /// Where it was meant to end.
    Whole,
    /// Somewhere else.
    CutOff,
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
            state: SplitterState::Seek,
            progress: Progress::default(),
            untrusted_end: 0,
            contradicted_at: 0,
            fill: Fill::default(),
            broke_at: 0,
            discarded: None,
            after_broken: false,
            work: 0,
            is_done: false,
            found: VecDeque::new(),
            framing: None,
            ended: None,
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

    /// Ends the stream where it was meant to end: at the end of a file, or of a response whose
    /// length is known. The bytes received so far can no longer become a whole frame.
    ///
    /// Poll until `None` afterwards. Then the splitter is ready for a new stream, whose offsets
    /// continue from here.
    pub fn finish(&mut self) {
        self.ended = Some(StreamEnd::Whole);
    }

    /// Ends the stream like [`finish`](Self::finish), but where it was not meant to end, or may not
    /// have been: the connection broke, or was closed without a word.
    ///
    /// The frame in hand was cut off, so it is discarded even with
    /// [`MissingEoi::Accept`](crate::MissingEoi::Accept).
    pub fn cut_off(&mut self) {
        self.ended = Some(StreamEnd::CutOff);
    }

    /// Refills the [flood allowance](SplitterConfig::with_flood_allowance_bytes).
    ///
    /// Call it about once a second for a live stream. The splitter has no clock, so it cannot tell
    /// decisions spread over an hour from a flood.
    pub fn refill(&mut self) {
        self.budget.refill();
    }

    /// Returns what the decisions of the splitter so far have cost, in the bytes of
    /// [the flood allowance](crate#floods): about as many nanoseconds.
    ///
    /// Its owner can compare it with the bytes read, to limit the time that hostile bytes take.
    pub fn cost(&self) -> u64 {
        self.budget.total_bytes()
    }

    /// Returns the latest delimiter of a multipart stream.
    pub(crate) fn delimiter(&self) -> Option<&[u8]> {
        self.framing.as_deref().and_then(FramingReader::delimiter)
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
    ///
    /// Takes as long as the bytes at hand require: up to some tens of milliseconds if they were
    /// made for that. [`poll_within`](Self::poll_within) has a bound.
    pub fn poll(&mut self) -> Option<Found> {
        loop {
            let mut work = usize::MAX;
            match self.poll_within(&mut work) {
                Polled::Found(found) => return Some(found),
                Polled::NeedMore => return None,
                Polled::Busy => {}
            }
        }
    }

    /// Looks for the next frame or discarded range, with a bound on the work.
    ///
    /// Takes what it did from `work`: a byte looked at or copied counts as 1, a decision as much as
    /// [it costs](crate#floods). A unit takes about a nanosecond at most. If nothing is left of
    /// `work`, it returns [`Polled::Busy`]: call it again when others have had their turn. It may
    /// do 256 KiB more than it was given, and the output is the same however little that is.
    pub fn poll_within(&mut self, work: &mut usize) -> Polled {
        loop {
            if let Some(found) = self.found.pop_front() {
                return Polled::Found(found);
            }
            if *work == 0 {
                return Polled::Busy;
            }
            let step = self.step();
            let done = std::mem::take(&mut self.work) + self.buffer.take_work();
            *work = work.saturating_sub(done);
            match (step, self.ended) {
                (StepOutcome::Again, _) => {}
                (StepOutcome::NeedMore, None) => return Polled::NeedMore,
                (StepOutcome::NeedMore, Some(_)) if self.buffer.data().is_empty() => {
                    self.end_stream();
                    return match self.found.pop_front() {
                        Some(found) => Polled::Found(found),
                        None => Polled::NeedMore,
                    };
                }
                (StepOutcome::NeedMore, Some(end)) => self.at_end(end),
            }
        }
    }

    /// Prepares for the next stream.
    fn end_stream(&mut self) {
        self.ended = None;
        self.untrusted_end = 0;
        self.is_done = false;
        self.budget.restart(self.base);
        if let Some(framing) = &mut self.framing {
            framing.stream_ended();
        }
        self.report_discarded();
        self.after_broken = false;
    }

    /// The minimum room that [`spare_mut`](Self::spare_mut) returns, in bytes.
    pub const SPARE_BYTES: usize = 64 << 10;
}
