//! The pictures of one sender, who sends them in one request or in many.

use std::{
    io, mem,
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use mjpeg_codec::SplitterConfig;
use tokio::{
    io::{AsyncRead, ReadBuf},
    time::Instant,
};

use super::{
    intake::{Intake, Present},
    outcome::PushOutcome,
    reading::PushReading,
    request::PushRequest,
};
use crate::{
    config::IngestConfig,
    connect::Connection,
    error::SourceEnd,
    parsed::{Parsed, ParsedFeed},
    source::{
        http::polled::answer::{Content, content},
        takeover::rhythm::{SILENT_AFTER, SenderRhythm},
    },
    timer::Timer,
};

/// Waits for a sender's first request and makes a connection of what it sends from then on.
pub(in crate::source) async fn open(intake: Arc<Intake>, config: &IngestConfig) -> Connection {
    let request = std::future::poll_fn(|cx| intake.poll_first(cx)).await;
    let (peer, via) = (request.peer(), request.head.via());
    let interval = intake.state().pace.interval();
    // A single picture tells nothing of when the next one comes.
    let is_single = request.head.length.is_some() && !request.head.is_multipart();
    let interval = interval.or(is_single.then_some(UNKNOWN_INTERVAL));
    let feed = PushFeed {
        intake,
        sender: request.sender,
        state: PushState::Looking(Box::new(request), Vec::new()),
        rhythm: SenderRhythm::new(false),
        interval,
        splitter: config.splitter().clone(),
        timer: Timer::default(),
        last_read: Instant::now(),
        has_read: false,
        cost: (0, 0),
    };
    let connection = Connection::feed(feed, peer).with_via(via);
    match interval {
        Some(interval) => connection.with_interval(interval),
        None => connection,
    }
}

/// Reads the requests of one sender.
struct PushFeed {
    intake: Arc<Intake>,
    /// The address of the sender: between two requests, that is who it is.
    sender: Option<IpAddr>,
    state: PushState,
    rhythm: SenderRhythm,
    interval: Option<Duration>,
    splitter: SplitterConfig,
    timer: Timer,
    last_read: Instant,
    /// Bytes have come since others were looked at.
    has_read: bool,
    /// What the requests before the present one have cost, and their bytes.
    cost: (u64, u64),
}

/// What a feed is doing.
///
/// ```text
///   Waiting ── a request of the sender ──▶ Looking ── it holds pictures ──▶ Reading
///      ▲                                      │                               │
///      └───────────── answered ───────────────┴───────────────────────────────┘
/// ```
enum PushState {
    Waiting,
    /// The first bytes tell what a body is.
    Looking(Box<PushRequest>, Vec<u8>),
    Reading(Box<PushReading>),
}

/// What ends the wait for bytes of the present request.
enum Interruption {
    Replaced(io::Error),
    /// The sender has begun another request instead.
    Abandoned,
}

impl PushFeed {
    fn read(&mut self) {
        let now = Instant::now();
        self.last_read = now;
        self.has_read = true;
        self.rhythm.record(now);
        // The sender is alive.
        if self.rhythm.has_frame() {
            let mut state = self.intake.state();
            if !state.rivals.is_empty() {
                state.rivals.refuse();
            }
        }
    }

    /// Looks at the first bytes of a request until they tell what its body is.
    fn poll_look(
        &mut self,
        mut request: Box<PushRequest>,
        mut seen: Vec<u8>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let mut is_whole = false;
        loop {
            match content(request.head.kind, &seen, is_whole) {
                Content::Pictures(framing) => {
                    request.unread(Bytes::from(seen));
                    let reading = PushReading::new(*request, framing, self.splitter.clone());
                    self.state = PushState::Reading(Box::new(reading));
                    return Poll::Ready(Ok(()));
                }
                Content::Nothing => {
                    let outcome = match seen.is_empty() {
                        true => PushOutcome::Broken,
                        false => PushOutcome::NotAPicture,
                    };
                    request.answer(outcome);
                    return Poll::Ready(Ok(()));
                }
                Content::Undecided => {}
            }
            let mut space = [0; LOOK_BYTES];
            let mut buf = ReadBuf::new(&mut space);
            match Pin::new(&mut *request).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) => {
                    let read = buf.filled();
                    is_whole = read.is_empty();
                    if !is_whole {
                        seen.extend_from_slice(read);
                        self.cost.1 += read.len() as u64;
                        self.read();
                    }
                }
                Poll::Ready(Err(_)) => {
                    request.answer(PushOutcome::Broken);
                    return Poll::Ready(Ok(()));
                }
                Poll::Pending => {
                    return match self.poll_others(Present::Single, cx) {
                        Poll::Ready(Interruption::Replaced(error)) => Poll::Ready(Err(error)),
                        Poll::Ready(Interruption::Abandoned) => Poll::Ready(Ok(())),
                        Poll::Pending => {
                            self.state = PushState::Looking(request, seen);
                            Poll::Pending
                        }
                    };
                }
            }
        }
    }

    /// Waits, besides for bytes, for a rival that takes the sender's place, and for a sender who
    /// has given up the request that is being read.
    fn poll_others(&mut self, present: Present, cx: &mut Context<'_>) -> Poll<Interruption> {
        self.has_read = false;
        let mut state = self.intake.state();
        state.waits(cx);
        loop {
            let now = Instant::now();
            state.sort(self.sender, present, now);
            state.rivals.read(now, cx);
            let gives_way_at = self.rhythm.gives_way_at(&state.rivals, now);
            if gives_way_at.is_some_and(|at| at <= now)
                && let Some(rival) = state.rivals.with_frame()
            {
                let by = rival.peer().to_owned();
                let error = SourceEnd::Replaced { by }.into();
                return Poll::Ready(Interruption::Replaced(error));
            }
            let abandons_at = state.has_next().then(|| match present {
                Present::None => now,
                _ => self.last_read + SILENT_AFTER,
            });
            if abandons_at.is_some_and(|at| at <= now) {
                return Poll::Ready(Interruption::Abandoned);
            }
            let times = [gives_way_at, abandons_at, state.rivals.expire_at()];
            let Some(next) = times.into_iter().flatten().min() else {
                return Poll::Pending;
            };
            ready!(self.timer.poll(cx, next));
        }
    }

    /// Waits for the sender's next request.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let next = {
            let mut state = self.intake.state();
            state.sort(self.sender, Present::None, Instant::now());
            state.next(self.sender)
        };
        if let Some(next) = next {
            self.state = PushState::Looking(Box::new(next), Vec::new());
            return Poll::Ready(Ok(()));
        }
        match ready!(self.poll_others(Present::None, cx)) {
            Interruption::Replaced(error) => Poll::Ready(Err(error)),
            Interruption::Abandoned => Poll::Ready(Ok(())),
        }
    }

    /// Reads on; whether there is something to find then.
    fn poll_reading(
        &mut self,
        mut reading: Box<PushReading>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<bool>> {
        if reading.is_over() {
            let (cost, bytes) = reading.cost();
            self.cost = (self.cost.0 + cost, self.cost.1 + bytes);
            reading.answer();
            return Poll::Ready(Ok(false));
        }
        // A sender may always have bytes to read. All pictures in what it has sent were found.
        let mut others = match self.has_read {
            true => self.poll_others(reading.present(), cx),
            false => Poll::Pending,
        };
        if others.is_pending() {
            match reading.poll(cx) {
                Poll::Ready(true) => self.read(),
                Poll::Ready(false) => {}
                Poll::Pending => {
                    others = self.poll_others(reading.present(), cx);
                    if others.is_pending() {
                        self.state = PushState::Reading(reading);
                        return Poll::Pending;
                    }
                }
            }
        }
        match others {
            Poll::Ready(Interruption::Replaced(error)) => return Poll::Ready(Err(error)),
            Poll::Ready(Interruption::Abandoned) => reading.cut_off(),
            Poll::Pending => {}
        }
        self.state = PushState::Reading(reading);
        Poll::Ready(Ok(true))
    }
}

impl ParsedFeed for PushFeed {
    fn poll_found(&mut self, cx: &mut Context<'_>) -> Poll<Option<Parsed>> {
        let PushState::Reading(reading) = &mut self.state else {
            return Poll::Ready(None);
        };
        let found = ready!(reading.poll_found(cx));
        if let Some(Parsed::Frame { .. }) = &found {
            self.rhythm.frame();
            let mut state = self.intake.state();
            state.pace.picture(self.last_read);
            self.interval = state.pace.interval().or(self.interval);
        }
        Poll::Ready(found)
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        loop {
            match mem::replace(&mut self.state, PushState::Waiting) {
                PushState::Waiting => ready!(self.poll_next(cx))?,
                PushState::Looking(request, seen) => ready!(self.poll_look(request, seen, cx))?,
                PushState::Reading(reading) => {
                    if ready!(self.poll_reading(reading, cx))? {
                        return Poll::Ready(Ok(true));
                    }
                }
            }
        }
    }

    fn finish(&mut self) {
        self.cut_off();
    }

    fn cut_off(&mut self) {
        if let PushState::Reading(reading) = &mut self.state {
            reading.cut_off();
        }
    }

    fn cost(&self) -> (u64, u64) {
        let now = match &self.state {
            PushState::Reading(reading) => reading.cost(),
            _ => (0, 0),
        };
        (self.cost.0 + now.0, self.cost.1 + now.1)
    }

    fn last_read(&self) -> Instant {
        self.last_read
    }

    fn keeps_time(&self) -> bool {
        false
    }

    fn interval(&self) -> Option<Duration> {
        self.interval
    }
}

/// How much is read at once to see what a body holds, in bytes.
const LOOK_BYTES: usize = 1024;

/// What is taken for the interval of a sender of single pictures before it is known: so long that
/// it does not count as stalled before the stall limit.
const UNKNOWN_INTERVAL: Duration = Duration::from_secs(1);
