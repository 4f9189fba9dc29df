//! From a connection to stamped frames: a reader and its framer, or whole frames.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::SystemTime,
};

use mjpeg_codec::{
    DiscardReason, Found, Frame, Splitter, SplitterConfig, Stamp,
    multipart::{Parser, ParserConfig, PartHeaders, RelayHeaders},
};
use tokio::{
    io::{AsyncRead, ReadBuf},
    task::coop,
    time::Instant,
};

use crate::{
    connect::{BoxedFrames, BoxedReader, Framing, Input},
    event::Captured,
};

/// Something found in a connection.
pub(crate) enum Parsed {
    Frame {
        captured: Captured,
        /// What another relay says of it.
        relay: Option<RelayHeaders>,
    },
    Discarded {
        reason: DiscardReason,
        bytes: u64,
    },
}

/// The frames of a connection, whatever it carries.
///
/// First [`poll_read`](Self::poll_read), then [`found`](Self::found) until it returns `None`, and
/// so on; after the end [`finish`](Self::finish), and `found` once more.
pub(crate) enum Incoming {
    Cut(Framed<BoxedReader>),
    Whole(Whole),
}

impl Incoming {
    pub(crate) fn new(input: Input, framing: Framing, config: SplitterConfig) -> Self {
        match input {
            Input::Bytes(io) => Self::Cut(Framed::new(io, framing, config)),
            Input::Frames(stream) => Self::Whole(Whole::new(stream, config.max_frame_bytes())),
        }
    }

    /// Returns the next finding in the data read so far; `None` when more must be read.
    pub(crate) fn found(&mut self) -> Option<Parsed> {
        match self {
            Self::Cut(framed) => framed.found(),
            Self::Whole(whole) => whole.found.take(),
        }
    }

    /// Reads once; false at the end.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        match self {
            Self::Cut(framed) => framed.poll_read(cx).map_ok(|n| n > 0),
            Self::Whole(whole) => whole.poll_read(cx),
        }
    }

    /// Ends the reading; [`found`](Self::found) returns the rest.
    pub(crate) fn finish(&mut self) {
        match self {
            Self::Cut(framed) => framed.finish(),
            Self::Whole(_) => {}
        }
    }

    /// When something was last read, or the reading began.
    pub(crate) fn last_read(&self) -> Instant {
        match self {
            Self::Cut(framed) => framed.last_read.1,
            Self::Whole(whole) => whole.last_read,
        }
    }
}

/// A reader, and the framer that finds frames in its bytes.
pub(crate) struct Framed<R> {
    io: R,
    framer: Framer,
    /// When bytes were last read, by both clocks; before that, when the reading began.
    last_read: (SystemTime, Instant),
}

impl<R: AsyncRead + Unpin> Framed<R> {
    pub(crate) fn new(io: R, framing: Framing, config: SplitterConfig) -> Self {
        Self {
            io,
            framer: Framer::new(framing, config),
            last_read: (SystemTime::now(), Instant::now()),
        }
    }

    /// Starts over with another framing; bytes that were read already are dropped.
    pub(crate) fn reframed(self, framing: Framing, config: SplitterConfig) -> Self {
        Self::new(self.io, framing, config)
    }

    /// Returns the next finding in the bytes read so far; `None` when more must be read.
    pub(crate) fn found(&mut self) -> Option<Parsed> {
        loop {
            match self.framer.poll()? {
                Found::Frame(frame) => return Some(self.stamped(frame)),
                Found::Discarded { reason, range } => {
                    let bytes = range.end - range.start;
                    return Some(Parsed::Discarded { reason, bytes });
                }
                // The enum may grow.
                _ => {}
            }
        }
    }

    /// Adds the time of capture. What another relay says of the frame counts from then on.
    fn stamped(&mut self, frame: Frame) -> Parsed {
        let (received, monotonic) = self.last_read;
        let monotonic = monotonic.into_std();
        let headers = self.framer.headers();
        let relay = RelayHeaders::read(|name| headers.get(name));
        let age = relay.as_ref().map(|relay| relay.age);
        let age = age.filter(|age| *age <= RelayHeaders::OLDEST);
        let age = age.unwrap_or_default();
        let ago = received.checked_sub(age).zip(monotonic.checked_sub(age));
        let (received, monotonic) = ago.unwrap_or((received, monotonic));
        let mut stamp = Stamp::new(received, monotonic).with_camera(headers.timestamp());
        if let Some(relay) = &relay {
            stamp = stamp.with_id(relay.id);
        }
        let captured = Captured::new(frame, stamp);
        Parsed::Frame { captured, relay }
    }

    /// Reads once, straight into the framer's buffer, and returns the number of bytes read: 0 at
    /// the end.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        loop {
            // A reader that always has bytes, and never a frame among them, must not keep other
            // tasks from running. tokio's readers see to that themselves; others may not.
            let progress = ready!(coop::poll_proceed(cx));
            let mut room = ReadBuf::new(self.framer.spare_mut());
            let outcome = ready!(Pin::new(&mut self.io).poll_read(cx, &mut room));
            progress.made_progress();
            return Poll::Ready(match outcome {
                Ok(()) => {
                    let n = room.filled().len();
                    if n > 0 {
                        self.framer.filled(n);
                        self.last_read = (SystemTime::now(), Instant::now());
                    }
                    Ok(n)
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            });
        }
    }

    /// Ends the reading; [`found`](Self::found) returns the rest.
    pub(crate) fn finish(&mut self) {
        self.framer.finish();
    }
}

/// A stream of whole frames.
pub(crate) struct Whole {
    stream: BoxedFrames,
    max_frame_bytes: usize,
    found: Option<Parsed>,
    /// When a frame last came; before that, when the reading began.
    last_read: Instant,
}

impl Whole {
    fn new(stream: BoxedFrames, max_frame_bytes: usize) -> Self {
        Self {
            stream,
            max_frame_bytes,
            found: None,
            last_read: Instant::now(),
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        // As for bytes: a stream that always has a frame must not keep other tasks from running.
        let progress = ready!(coop::poll_proceed(cx));
        let next = ready!(self.stream.as_mut().poll_next(cx));
        progress.made_progress();
        let Some((frame, stamp)) = next.transpose()? else {
            return Poll::Ready(Ok(false));
        };
        self.last_read = Instant::now();
        self.found = Some(self.checked(frame, stamp));
        Poll::Ready(Ok(true))
    }

    fn checked(&self, frame: Frame, stamp: Stamp) -> Parsed {
        let bytes = frame.bytes().len();
        if bytes <= self.max_frame_bytes {
            return Parsed::Frame {
                captured: Captured::new(frame, stamp),
                relay: None,
            };
        }
        Parsed::Discarded {
            reason: DiscardReason::TooLarge,
            bytes: bytes as u64,
        }
    }
}

/// Finds the frames in bytes: the part of the codec that reads a framing.
enum Framer {
    Concatenated(Splitter),
    Multipart(Parser),
}

impl Framer {
    fn new(framing: Framing, config: SplitterConfig) -> Self {
        match framing {
            Framing::Concatenated => Self::Concatenated(Splitter::new(config)),
            Framing::Multipart => {
                Self::Multipart(Parser::new(ParserConfig::default().with_splitter(config)))
            }
        }
    }

    fn poll(&mut self) -> Option<Found> {
        match self {
            Self::Concatenated(splitter) => splitter.poll(),
            Self::Multipart(parser) => parser.poll(),
        }
    }

    /// The headers of the frame just found.
    fn headers(&self) -> PartHeaders {
        match self {
            Self::Concatenated(_) => PartHeaders::default(),
            Self::Multipart(parser) => parser.headers(),
        }
    }

    fn spare_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Concatenated(splitter) => splitter.spare_mut(),
            Self::Multipart(parser) => parser.spare_mut(),
        }
    }

    fn filled(&mut self, n: usize) {
        match self {
            Self::Concatenated(splitter) => splitter.filled(n),
            Self::Multipart(parser) => parser.filled(n),
        }
    }

    fn finish(&mut self) {
        match self {
            Self::Concatenated(splitter) => splitter.finish(),
            Self::Multipart(parser) => parser.finish(),
        }
    }
}
