//! The loop from connection to connection.

use std::{
    any::Any,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use mjpeg_codec::Event as Found;
use tokio::{
    io::AsyncRead,
    sync::watch,
    time::{Instant, sleep_until, timeout, timeout_at},
};

use crate::{
    ConnectError, Connection, Control, Error, Event, IngestConfig, Source, SourceEnd,
    control::Wishes, reading::Reading,
};

/// Reads a source and reconnects for ever; its owner pulls events with [`next`](Self::next).
///
/// Dropping it closes the connection.
pub struct Ingest {
    source: Source,
    config: IngestConfig,
    seed: u64,
    control: Control,
    wishes: watch::Receiver<Wishes>,
    /// Failed attempts since the camera was last stable.
    failures: u32,
    /// What the last connection needs to be kept until the next.
    anchor: Option<Box<dyn Any + Send>>,
    state: State,
}

enum State {
    Idle,
    Connecting(Attempt),
    Online(Box<Online>),
    Waiting { until: Instant, retries: u64 },
    Paused,
    Finished,
}

type Attempt = Pin<Box<dyn Future<Output = Result<Connection, ConnectError>> + Send>>;

struct Online {
    reading: Reading<Box<dyn AsyncRead + Send + Unpin>>,
    since: Instant,
    frames: u64,
    /// Why no more will be read; what is left in the splitter still comes out.
    ending: Option<Ending>,
}

enum Ending {
    Error(Error),
    Paused,
    Finished,
}

impl Ingest {
    /// Makes an ingest; nothing happens before the first [`next`](Self::next).
    pub fn new(source: Source, config: IngestConfig) -> Self {
        Self::with_control(source, config, Control::new())
    }

    /// Makes an ingest as [`new`](Self::new) does, steered by this control: one that was made in place of another is paused if that was.
    pub fn with_control(source: Source, config: IngestConfig, control: Control) -> Self {
        let wishes = control.wishes();
        let seed = config.seed.unwrap_or_else(|| fastrand::u64(..));
        Self {
            source,
            config,
            seed,
            control,
            wishes,
            failures: 0,
            anchor: None,
            state: State::Idle,
        }
    }

    /// A handle to steer this ingest with while its events are pulled.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Waits for the next event. `None`, for ever, when the source has ended for good.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a connection attempt, a wait and bytes already read are kept, and go on with the next call.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            match &mut self.state {
                State::Idle if self.wishes.borrow_and_update().paused => {
                    self.anchor = None;
                    self.state = State::Paused;
                    return Some(Event::Paused);
                }
                State::Idle => {
                    self.state =
                        State::Connecting(attempt(&self.source, self.config.connect_timeout));
                    return Some(Event::Connecting);
                }
                State::Connecting(attempt) => {
                    let outcome = tokio::select! {
                        () = pause_wanted(&mut self.wishes) => {
                            self.state = State::Idle;
                            continue;
                        }
                        outcome = attempt => outcome,
                    };
                    return match outcome {
                        Ok(connection) => Some(self.connected(connection)),
                        Err(ConnectError::Finished) => {
                            self.anchor = None;
                            self.state = State::Finished;
                            None
                        }
                        Err(error) => Some(self.offline(error.into())),
                    };
                }
                State::Online(online) => {
                    if let Some(event) = online.poll() {
                        return Some(event);
                    }
                    if let Some(ending) = online.ending.take() {
                        let stable =
                            online.frames > 0 && online.since.elapsed() >= self.config.stable_after;
                        if stable {
                            self.failures = 0;
                        }
                        match ending {
                            Ending::Error(error) => return Some(self.offline(error)),
                            Ending::Paused => self.state = State::Idle,
                            Ending::Finished => {
                                self.anchor = None;
                                self.state = State::Finished;
                            }
                        }
                        continue;
                    }
                    tokio::select! {
                        () = pause_wanted(&mut self.wishes) => online.end(Ending::Paused),
                        () = online.read(self.config.stall_limit) => {}
                    }
                }
                State::Waiting { until, retries } => {
                    let (until, retries) = (*until, *retries);
                    tokio::select! {
                        // An error is impossible: `self.control` keeps the sender alive.
                        _ = self.wishes.wait_for(|wishes| wishes.paused || wishes.retries != retries) => {}
                        () = sleep_until(until) => {}
                    }
                    self.state = State::Idle;
                }
                State::Paused => {
                    let _ = self.wishes.wait_for(|wishes| !wishes.paused).await;
                    self.state = State::Idle;
                }
                State::Finished => return None,
            }
        }
    }

    fn connected(&mut self, connection: Connection) -> Event {
        let Connection {
            io,
            framing,
            peer,
            anchor,
        } = connection;
        self.anchor = anchor;
        self.state = State::Online(Box::new(Online {
            reading: Reading::new(io, framing, self.config.splitter.clone()),
            since: Instant::now(),
            frames: 0,
            ending: None,
        }));
        Event::Online { peer }
    }

    /// Drops what was connected, and begins the wait for the next attempt.
    fn offline(&mut self, error: Error) -> Event {
        let begun = !matches!(error, Error::Connect(_));
        let retry_in = if begun && self.source.is_awaited() {
            Duration::ZERO
        } else {
            let delay = self.config.backoff.delay(self.failures, self.seed);
            self.failures = self.failures.saturating_add(1);
            delay
        };
        let retries = self.wishes.borrow_and_update().retries;
        self.state = State::Waiting {
            until: Instant::now() + retry_in,
            retries,
        };
        Event::Offline {
            error: Arc::new(error),
            retry_in,
        }
    }
}

impl std::fmt::Debug for Ingest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ingest")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl Online {
    fn poll(&mut self) -> Option<Event> {
        Some(match self.reading.found()? {
            Found::Frame(frame) => {
                self.frames += 1;
                Event::Frame(self.reading.captured(frame))
            }
            Found::Discarded { reason, range } => Event::Discarded {
                reason,
                bytes: range.end - range.start,
            },
            // The enum may grow; what this crate does not know, it does not pass on.
            _ => return self.poll(),
        })
    }

    /// Reads once, or finds that nothing more comes.
    async fn read(&mut self, stall_limit: Duration) {
        let deadline = self.reading.last_read() + stall_limit;
        let read = poll_fn(|cx| self.reading.poll_read(cx));
        let ending = match timeout_at(deadline, read).await {
            Ok(Ok(0)) => Error::Closed,
            Ok(Ok(_)) => return,
            Ok(Err(error)) => match error.downcast() {
                Ok(SourceEnd::Finished) => return self.end(Ending::Finished),
                Ok(SourceEnd::Replaced { by }) => Error::Replaced { by },
                Ok(SourceEnd::Failed(error)) => Error::Source(error),
                Err(error) => Error::Read(error),
            },
            Err(_elapsed) => Error::Stalled { after: stall_limit },
        };
        self.end(Ending::Error(ending));
    }

    fn end(&mut self, ending: Ending) {
        self.reading.finish();
        self.ending = Some(ending);
    }
}

fn attempt(source: &Source, limit: Duration) -> Attempt {
    let connect = source.connect();
    Box::pin(async move {
        let timed_out = |_| Err(ConnectError::TimedOut { after: limit });
        if connect.is_awaited() {
            return connect.connect().await;
        }
        timeout(limit, connect.connect())
            .await
            .unwrap_or_else(timed_out)
    })
}

async fn pause_wanted(wishes: &mut watch::Receiver<Wishes>) {
    // An error is impossible: the ingest holds a `Control`, which keeps the sender alive.
    let _ = wishes.wait_for(|wishes| wishes.paused).await;
}
