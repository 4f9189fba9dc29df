//! The pictures of a camera that speaks HTTP: one answer after another, each read to its end.

use std::{
    io, mem,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use mjpeg_codec::SplitterConfig;
use tokio::time::Instant;

use super::{
    ask::{PictureAnswer, ask},
    polled::rhythm::{AfterPoll, Rhythm},
    reading::Reading,
    session::Session,
};
use crate::{
    config::IngestConfig,
    connect::Connection,
    error::{ConnectError, ErrorChain, HttpError, SourceEnd},
    framing::Framing,
    observed::quirk::CameraQuirk,
    parsed::{Parsed, ParsedFeed},
    timer::Timer,
};

/// Sends the first request and makes a connection of its response.
pub(super) async fn open(
    session: Box<Session>,
    config: &IngestConfig,
    interval: Duration,
) -> Result<Connection, ConnectError> {
    let asked = Instant::now();
    let (silence, answer) = (config.stall_limit(), config.answer_timeout());
    let rhythm = Rhythm::new(asked, interval, silence, answer);
    let (session, answer) = ask(session, rhythm.silence()).await;
    let answer = answer?;
    let (peer, via) = (session.peer(), session.via());
    // A stream is given its own time, unless its user knows it.
    let is_timed = answer.framing == Framing::Concatenated || session.has_rate();
    // A camera that needs long for an answer is no quicker the next time.
    let expected = interval.max(asked.elapsed());
    let mut feed = HttpFeed {
        state: HttpFeedState::Over,
        rhythm,
        splitter: config.splitter().clone(),
        timer: Timer::default(),
        last_read: Instant::now(),
        cost: (0, 0),
    };
    feed.read(session, answer);
    let connection = Connection::feed(feed, peer).with_via(via);
    Ok(if is_timed {
        connection.with_interval(expected)
    } else {
        connection
    })
}

/// Reads the answers of a camera.
struct HttpFeed {
    state: HttpFeedState,
    rhythm: Rhythm,
    splitter: SplitterConfig,
    timer: Timer,
    last_read: Instant,
    /// What the answers before the present one have cost, and their bytes.
    cost: (u64, u64),
}

/// What a feed is doing.
///
/// ```text
///            the answer holds pictures
///   Asking ────────────────────────────▶ Reading ──▶ Over: a stream ended
///    ▲  │                                   │
///    │  └── it holds none ──▶ Waiting ◀─────┘ a picture came, or none
///    └──────── it is time ────── │ │
///                                  └──▶ Over: the camera is lost
/// ```
enum HttpFeedState {
    Asking(Asking),
    Reading(Box<Reading>),
    Waiting {
        session: Box<Session>,
        until: Instant,
    },
    Over,
}

type Asking =
    Pin<Box<dyn Future<Output = (Box<Session>, Result<PictureAnswer, ConnectError>)> + Send>>;

impl HttpFeed {
    fn read(&mut self, session: Box<Session>, answer: PictureAnswer) {
        let reading = Reading::new(session, answer, self.splitter.clone());
        self.last_read = Instant::now();
        self.state = HttpFeedState::Reading(Box::new(reading));
    }

    fn ask(&mut self, session: Box<Session>, due: Instant) {
        self.rhythm.asked(due, Instant::now());
        let silence = self.rhythm.silence();
        self.state = HttpFeedState::Asking(Box::pin(ask(session, silence)));
    }

    /// Acts upon the end of an answer; returns what a reader sees of it, if that is the end.
    fn answered(
        &mut self,
        mut reading: Reading,
        end: Result<(), HttpError>,
    ) -> Option<io::Result<bool>> {
        let now = Instant::now();
        let (cost, bytes) = reading.cost();
        self.cost = (self.cost.0 + cost, self.cost.1 + bytes);
        // An answer of announced length that came in full is over, whatever it held.
        let is_over = reading.pictures.has_length() && end.is_ok();
        if reading.pictures.is_stream() && !is_over {
            // The camera sends no snapshots: its stream has ended.
            return Some(end.map(|()| false).map_err(failed));
        }
        let session = reading.session()?;
        if !reading.pictures.is_empty() {
            // A whole picture has come, whatever became of the rest of the answer.
            if matches!(end, Err(HttpError::CutShort | HttpError::Broken(_))) {
                session.observer().quirk(CameraQuirk::ClosesEarly);
            }
            let next = self.rhythm.after_picture(now);
            return self.proceed(session, next, None);
        }
        if reading.framing == Framing::Multipart && !self.rhythm.has_picture() {
            return Some(end.map(|()| false).map_err(failed));
        }
        let error = end.err().unwrap_or(HttpError::NoPicture(reading.name));
        self.missed(session, error.into(), now)
    }

    fn missed(
        &mut self,
        mut session: Box<Session>,
        error: ConnectError,
        now: Instant,
    ) -> Option<io::Result<bool>> {
        session.go_back();
        let text = ErrorChain::new(&error).to_string();
        session.observer().note(|facts| {
            facts.missed = facts.missed.saturating_add(1);
            facts.last_miss = Some(text);
        });
        let next = self.rhythm.after_miss(now, is_final(&error));
        self.proceed(session, next, Some(error))
    }

    fn proceed(
        &mut self,
        mut session: Box<Session>,
        next: AfterPoll,
        error: Option<ConnectError>,
    ) -> Option<io::Result<bool>> {
        match next {
            AfterPoll::Poll(until) => {
                if !self.rhythm.keeps_connection() {
                    session.leave();
                }
                self.state = HttpFeedState::Waiting { session, until };
                None
            }
            AfterPoll::Lost => Some(error.map_or(Ok(false), |error| Err(failed(error)))),
        }
    }
}

impl ParsedFeed for HttpFeed {
    fn poll_found(&mut self, cx: &mut Context<'_>) -> Poll<Option<Parsed>> {
        let HttpFeedState::Reading(reading) = &mut self.state else {
            return Poll::Ready(None);
        };
        let found = ready!(reading.poll_found(cx));
        if let Some(Parsed::Frame { .. }) = &found {
            self.rhythm.picture(Instant::now());
        }
        Poll::Ready(found)
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        loop {
            let over = match mem::replace(&mut self.state, HttpFeedState::Over) {
                HttpFeedState::Over => return Poll::Ready(Ok(false)),
                HttpFeedState::Waiting { session, until } => {
                    if self.timer.poll(cx, until).is_pending() {
                        self.state = HttpFeedState::Waiting { session, until };
                        return Poll::Pending;
                    }
                    self.ask(session, until);
                    None
                }
                HttpFeedState::Asking(mut asking) => {
                    let Poll::Ready((session, answer)) = asking.as_mut().poll(cx) else {
                        self.state = HttpFeedState::Asking(asking);
                        return Poll::Pending;
                    };
                    match answer {
                        Ok(answer) => {
                            self.read(session, answer);
                            None
                        }
                        Err(error) => self.missed(session, error, Instant::now()),
                    }
                }
                HttpFeedState::Reading(mut reading) => match reading.end.take() {
                    Some(end) => self.answered(*reading, end),
                    None => {
                        let read = reading.poll(cx, &self.rhythm, &mut self.timer, self.last_read);
                        self.state = HttpFeedState::Reading(reading);
                        if ready!(read) {
                            self.last_read = Instant::now();
                        }
                        return Poll::Ready(Ok(true));
                    }
                },
            };
            if let Some(over) = over {
                return Poll::Ready(over);
            }
        }
    }

    fn finish(&mut self) {
        if let HttpFeedState::Reading(reading) = &mut self.state {
            reading.finish();
        }
    }

    fn cut_off(&mut self) {
        if let HttpFeedState::Reading(reading) = &mut self.state {
            reading.cut_off();
        }
    }

    fn cost(&self) -> (u64, u64) {
        let now = match &self.state {
            HttpFeedState::Reading(reading) => reading.cost(),
            _ => (0, 0),
        };
        (self.cost.0 + now.0, self.cost.1 + now.1)
    }

    fn last_read(&self) -> Instant {
        self.last_read
    }

    fn keeps_time(&self) -> bool {
        match &self.state {
            HttpFeedState::Reading(reading) => !reading.is_stream(),
            HttpFeedState::Over => false,
            _ => true,
        }
    }
}

/// Whether no other poll can bring a picture.
fn is_final(error: &ConnectError) -> bool {
    error.retry_in().is_some()
        || matches!(
            error,
            ConnectError::Finished
                | ConnectError::AddressNotAllowed(_)
                | ConnectError::Http(
                    HttpError::Relay(_)
                        | HttpError::LoginNeeded
                        | HttpError::LoginElsewhere { .. }
                        | HttpError::UnknownLogin(_)
                        | HttpError::RedirectToPlain { .. }
                        | HttpError::TlsNotBuilt
                        | HttpError::Certificate { .. }
                        | HttpError::OldTls { .. }
                        | HttpError::Authorities(_)
                )
        )
}

fn failed(error: impl Into<ConnectError>) -> io::Error {
    SourceEnd::Failed(Box::new(error.into())).into()
}
