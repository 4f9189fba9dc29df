//! From a connection to stamped frames: a reader and its framer, or whole frames.

use std::{
    io,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::{Duration, SystemTime},
};

#[cfg(feature = "http")]
use mjpeg_codec::multipart::PartHeaders;
use mjpeg_codec::{
    DiscardReason, Found, Frame, Polled, SplitterConfig, Stamp, multipart::RelayHeaders,
};
use tokio::{
    io::{AsyncRead, ReadBuf},
    task::{coop, yield_now},
    time::Instant,
};

#[cfg(feature = "http")]
use crate::observed::parts::PartWatch;
use crate::{
    event::Captured,
    framer::Framer,
    framing::Framing,
    input::{BoxedFrames, BoxedReader, Input},
    parsed::{Parsed, ParsedFeed},
    relayed::{Delivered, RelayedPart},
};

/// The frames of a connection, whatever it carries.
///
/// First [`poll_read`](Self::poll_read), then [`poll_found`](Self::poll_found) until it returns
/// `None`, and so on; after the end [`finish`](Self::finish) or [`cut_off`](Self::cut_off), and
/// `poll_found` once more.
pub(crate) enum Incoming {
    Cut(Box<Framed<BoxedReader>>),
    Whole(Box<Whole>),
    Found(Box<dyn ParsedFeed>),
}

impl Incoming {
    pub(crate) fn new(input: Input, framing: Framing, config: SplitterConfig) -> Self {
        match input {
            Input::Bytes(io) => Self::Cut(Box::new(Framed::new(io, framing, config))),
            Input::Frames(stream) => {
                Self::Whole(Box::new(Whole::new(stream, config.max_frame_bytes())))
            }
            Input::Feed(feed) => Self::Found(feed),
        }
    }

    /// Returns the next finding in the data read so far; `None` when more must be read. Pending
    /// when it is the turn of other tasks.
    pub(crate) fn poll_found(&mut self, cx: &mut Context<'_>) -> Poll<Option<Parsed>> {
        match self {
            Self::Cut(framed) => framed.poll_found(cx),
            Self::Whole(whole) => Poll::Ready(whole.found.take()),
            Self::Found(feed) => feed.poll_found(cx),
        }
    }

    /// Reads once; false at the end.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        match self {
            Self::Cut(framed) => framed.poll_read(cx).map_ok(|n| n > 0),
            Self::Whole(whole) => whole.poll_read(cx),
            Self::Found(feed) => feed.poll_read(cx),
        }
    }

    /// Ends the reading where the source ends; [`poll_found`](Self::poll_found) returns the rest.
    pub(crate) fn finish(&mut self) {
        match self {
            Self::Cut(framed) => framed.finish(),
            Self::Whole(_) => {}
            Self::Found(feed) => feed.finish(),
        }
    }

    /// Ends the reading where the source may not have meant to end.
    pub(crate) fn cut_off(&mut self) {
        match self {
            Self::Cut(framed) => framed.cut_off(),
            Self::Whole(_) => {}
            Self::Found(feed) => feed.cut_off(),
        }
    }

    /// What the codec's decisions have cost, and how many bytes were read.
    pub(crate) fn cost(&self) -> (u64, u64) {
        match self {
            Self::Cut(framed) => framed.cost(),
            Self::Whole(_) => (0, 0),
            Self::Found(feed) => feed.cost(),
        }
    }

    /// When something was last read, or the reading began.
    pub(crate) fn last_read(&self) -> Instant {
        match self {
            Self::Cut(framed) => framed.last_read.1,
            Self::Whole(whole) => whole.last_read,
            Self::Found(feed) => feed.last_read(),
        }
    }

    /// Whether the source itself decides at present when the camera is lost.
    pub(crate) fn keeps_time(&self) -> bool {
        matches!(self, Self::Found(feed) if feed.keeps_time())
    }

    /// The time from frame to frame, if the source has learned it.
    pub(crate) fn interval(&self) -> Option<Duration> {
        match self {
            Self::Found(feed) => feed.interval(),
            _ => None,
        }
    }
}

/// A reader, and the framer that finds frames in its bytes.
pub(crate) struct Framed<R> {
    io: R,
    framer: Framer,
    /// When bytes were last read, by both clocks; before that, when the reading began.
    last_read: (SystemTime, Instant),
    /// The work left before other tasks have their turn.
    work: usize,
    /// How many bytes were read.
    bytes: u64,
    /// When the codec's flood allowance was last refilled.
    refilled: Instant,
    /// Takes notes of the parts of a camera that speaks HTTP.
    #[cfg(feature = "http")]
    watch: Option<PartWatch>,
}

impl<R: AsyncRead + Unpin> Framed<R> {
    pub(crate) fn new(io: R, framing: Framing, config: SplitterConfig) -> Self {
        Self {
            io,
            framer: Framer::new(framing, config),
            last_read: (SystemTime::now(), Instant::now()),
            work: WORK_PER_TURN,
            bytes: 0,
            refilled: Instant::now(),
            #[cfg(feature = "http")]
            watch: None,
        }
    }

    /// Starts over with another framing; bytes that were read already are dropped.
    pub(crate) fn reframed(self, framing: Framing, config: SplitterConfig) -> Self {
        Self::new(self.io, framing, config)
    }

    /// The reader.
    #[cfg(feature = "http")]
    pub(crate) fn reader_mut(&mut self) -> &mut R {
        &mut self.io
    }

    /// Adds what is said of the pictures where they have no headers of their own.
    #[cfg(feature = "http")]
    pub(crate) fn with_marks(mut self, marks: PartHeaders) -> Self {
        self.framer = self.framer.with_marks(marks);
        self
    }

    /// Takes notes of what the parts are like.
    #[cfg(feature = "http")]
    pub(crate) fn with_watch(mut self, watch: PartWatch) -> Self {
        self.watch = Some(watch);
        self
    }

    /// What the codec's decisions have cost, and how many bytes were read.
    pub(crate) fn cost(&self) -> (u64, u64) {
        (self.framer.cost(), self.bytes)
    }

    /// Returns the next finding in the bytes read so far; `None` when more must be read. Pending
    /// when it is the turn of other tasks.
    ///
    /// Bytes may be made to take long, and a reader may always have more of them.
    pub(crate) fn poll_found(&mut self, cx: &mut Context<'_>) -> Poll<Option<Parsed>> {
        match self.framer.poll_within(&mut self.work) {
            Polled::Found(found) => {
                self.work = self.work.saturating_sub(FINDING_WORK);
                Poll::Ready(self.parsed(found))
            }
            Polled::NeedMore => Poll::Ready(None),
            // Busy. The enum may grow.
            _ => {
                self.work = WORK_PER_TURN;
                let turn = pin!(yield_now());
                // Pending, and the task is woken when the others had their turn.
                turn.poll(cx).map(|()| None)
            }
        }
    }

    fn parsed(&mut self, found: Found) -> Option<Parsed> {
        match found {
            Found::Frame(frame) => Some(self.stamped(frame)),
            Found::Discarded { reason, range } => {
                let bytes = range.end - range.start;
                Some(Parsed::Discarded { reason, bytes })
            }
            // The enum may grow.
            _ => None,
        }
    }

    /// Adds the time of capture.
    fn stamped(&mut self, frame: Frame) -> Parsed {
        let headers = self.framer.take_headers();
        #[cfg(feature = "http")]
        if let (Some(watch), Some(delimiter)) = (&mut self.watch, self.framer.delimiter()) {
            watch.part(&headers, &frame, delimiter);
        }
        let relay = RelayHeaders::read(|name| headers.get(name));
        let stamp = stamp(self.last_read, headers.timestamp(), relay.as_ref());
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
            let Poll::Ready(outcome) = Pin::new(&mut self.io).poll_read(cx, &mut room) else {
                self.work = WORK_PER_TURN;
                return Poll::Pending;
            };
            progress.made_progress();
            return Poll::Ready(match outcome {
                Ok(()) => {
                    let n = room.filled().len();
                    if n > 0 {
                        self.record_read(n);
                    }
                    Ok(n)
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            });
        }
    }

    fn record_read(&mut self, n: usize) {
        self.framer.filled(n);
        let now = Instant::now();
        self.last_read = (SystemTime::now(), now);
        self.bytes += n as u64;
        self.work = self.work.saturating_sub(n);
        if now.saturating_duration_since(self.refilled) >= REFILL_EVERY {
            self.refilled = now;
            self.framer.refill();
        }
    }

    /// Ends the reading where the source ends; [`poll_found`](Self::poll_found) returns the rest.
    pub(crate) fn finish(&mut self) {
        self.framer.finish();
    }

    /// Ends the reading where the source may not have meant to end.
    pub(crate) fn cut_off(&mut self) {
        self.framer.cut_off();
    }
}

/// Stamps a frame that has arrived. What another relay says of it counts from then on.
fn stamp(
    (received, monotonic): (SystemTime, Instant),
    camera: Option<SystemTime>,
    relay: Option<&RelayHeaders>,
) -> Stamp {
    let monotonic = monotonic.into_std();
    let age = relay.map(|relay| relay.age);
    let age = age.filter(|age| *age <= RelayHeaders::OLDEST);
    let age = age.unwrap_or_default();
    let ago = received.checked_sub(age).zip(monotonic.checked_sub(age));
    let (received, monotonic) = ago.unwrap_or((received, monotonic));
    let stamp = Stamp::new(received, monotonic).with_camera(camera);
    match relay {
        Some(relay) => stamp.with_id(relay.id),
        None => stamp,
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
        let Some(delivered) = next.transpose()? else {
            return Poll::Ready(Ok(false));
        };
        self.last_read = Instant::now();
        self.found = Some(match delivered {
            Delivered::Frame(frame, stamp) => self.checked(frame, stamp, None),
            Delivered::Relayed(RelayedPart::Frame {
                frame,
                timestamp,
                said,
            }) => {
                let now = (SystemTime::now(), self.last_read);
                self.checked(frame, stamp(now, timestamp, Some(&said)), Some(said))
            }
            Delivered::Relayed(RelayedPart::State { is_online }) => Parsed::State { is_online },
        });
        Poll::Ready(Ok(true))
    }

    fn checked(&self, frame: Frame, stamp: Stamp, relay: Option<RelayHeaders>) -> Parsed {
        let bytes = frame.bytes().len();
        if bytes <= self.max_frame_bytes {
            return Parsed::Frame {
                captured: Captured::new(frame, stamp),
                relay,
            };
        }
        Parsed::Discarded {
            reason: DiscardReason::TooLarge,
            bytes: bytes as u64,
        }
    }
}

/// The work after which other tasks have their turn, in the codec's units: about 0.3 ms at most.
const WORK_PER_TURN: usize = 256 << 10;

/// What a finding costs its receivers.
const FINDING_WORK: usize = 4 << 10;

/// How often the codec's flood allowance is refilled.
const REFILL_EVERY: Duration = Duration::from_secs(1);
