//! The loop from connection to connection.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::Stream;
use tokio::time::{Instant, sleep_until};

use crate::{
    config::IngestConfig,
    connect::{Connection, Guard},
    control::{Commands, Control, Wakeups},
    error::{ConnectError, Error},
    event::Event,
    online::{Ending, Online},
    retry::RetryWait,
    source::{Source, visits::Refusal},
};

/// Reads a source and reconnects indefinitely; its owner pulls events with [`next`](Self::next), or
/// uses it as a [`Stream`].
///
/// Dropping it closes the connection.
pub struct Ingest {
    state: IngestState,
    reconnect: Reconnect,
    wakeups: Wakeups,
}

/// The states of an ingest.
///
/// ```text
///            ┌──────────────────── resume ─────────────────── Paused
///            ▼                                                  ▲
///  new ──▶ Idle ── paused ──────────────────────────────────────┘
///            │ ▲
///            │ └──── delay over, retry, pause ──── Waiting ◀─────┐
///            ▼                                       ▲           │
///        Connecting ── failed ───────────────────────┘           │
///            │  │                                                │
///            │  └── source exhausted ──▶ Finished                │
///            ▼                              ▲                    │
///         Online ── source exhausted ───────┘                    │
///            └───── closed, broken, stalled ─────────────────────┘
/// ```
///
/// A pause also leads from `Connecting` and `Online` to `Idle`, and so to `Paused`.
enum IngestState {
    Idle,
    Connecting(Attempt),
    Online(Box<Online>),
    Waiting(RetryWait),
    Paused,
    Finished,
}

type Attempt = Pin<Box<dyn Future<Output = Result<Connection, ConnectError>> + Send>>;

/// The data that all states share.
struct Reconnect {
    source: Source,
    config: IngestConfig,
    seed: u64,
    control: Control,
    /// How many attempts have failed since the camera was last stable.
    failures: u32,
    /// An attempt was made.
    has_tried: bool,
    /// Kept from the last connection until the next.
    guard: Option<Guard>,
}

/// The next state, and an event to report.
type Transition = (IngestState, Option<Event>);

impl Ingest {
    /// Makes an ingest. Nothing happens before the first [`next`](Self::next).
    pub fn new(source: Source, config: IngestConfig) -> Self {
        Self::with_control(source, config, Control::new())
    }

    /// Makes an ingest that obeys this control. If that is paused, the ingest begins paused.
    pub fn with_control(source: Source, config: IngestConfig, control: Control) -> Self {
        Self {
            state: IngestState::Idle,
            wakeups: control.wakeups(),
            reconnect: Reconnect {
                seed: config.seed.unwrap_or_else(|| fastrand::u64(..)),
                config: source.limited(config),
                source,
                control,
                failures: 0,
                has_tried: false,
                guard: None,
            },
        }
    }

    /// Returns a handle that controls this ingest while its events are pulled.
    pub fn control(&self) -> Control {
        self.reconnect.control.clone()
    }

    /// Waits for the next event. Returns `None`, from then on always, when the source has ended for
    /// good.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime, or in one without time or IO enabled.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: connection attempts, waits and bytes already read are kept for the next call.
    pub async fn next(&mut self) -> Option<Event> {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    pub(crate) fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        loop {
            self.wakeups.register(cx);
            let commands = self.reconnect.control.commands();
            let (next, event) = match &mut self.state {
                IngestState::Idle => self.reconnect.begin(commands, Instant::now()),
                IngestState::Connecting(_) if commands.paused => (IngestState::Idle, None),
                IngestState::Connecting(attempt) => {
                    let outcome = ready!(attempt.as_mut().poll(cx));
                    self.reconnect.attempted(outcome, Instant::now())
                }
                IngestState::Online(online) => {
                    if commands.paused {
                        online.end(Ending::Paused);
                    }
                    match ready!(online.poll_event(cx)) {
                        Ok(event) => return Poll::Ready(Some(event)),
                        Err(ending) => self.reconnect.ended(online, ending, Instant::now()),
                    }
                }
                IngestState::Waiting(wait) => {
                    ready!(wait.poll(commands, cx));
                    (IngestState::Idle, None)
                }
                IngestState::Paused if commands.paused => return Poll::Pending,
                IngestState::Paused => {
                    // The operator resumes it: try a refused login again.
                    self.reconnect.source.visits().forgive();
                    (IngestState::Idle, None)
                }
                IngestState::Finished => return Poll::Ready(None),
            };
            // Closes the old connection: only one is ever open.
            self.state = next;
            if event.is_some() {
                return Poll::Ready(event);
            }
        }
    }
}

impl Reconnect {
    /// Begins an attempt, a pause, or the wait that an earlier ingest's login calls for.
    fn begin(&mut self, commands: Commands, now: Instant) -> Transition {
        if commands.paused {
            self.guard = None;
            return (IngestState::Paused, Some(Event::Paused));
        }
        if let Some(refusal) = self.source.visits().forbids(now, commands.retries) {
            let retry_in = refusal.until.saturating_duration_since(now);
            return self.wait(refusal.error, retry_in, now);
        }
        let is_visit = !self.has_tried && !self.source.is_passive();
        self.has_tried = true;
        let attempt = attempt(self.source.clone(), self.config.clone(), is_visit);
        (IngestState::Connecting(attempt), Some(Event::Connecting))
    }

    fn attempted(&mut self, outcome: Result<Connection, ConnectError>, now: Instant) -> Transition {
        match outcome {
            Ok(connection) => self.online(connection),
            Err(ConnectError::Finished) => self.finish(),
            Err(error) => self.offline(error.into(), now),
        }
    }

    fn online(&mut self, connection: Connection) -> Transition {
        let Connection {
            input,
            framing,
            peer,
            interval,
            via,
            guard,
            tenure,
            order,
        } = connection;
        self.guard = guard;
        let online = Online::new((input, framing), interval, via, &self.config);
        let online = online.within(tenure, order);
        (
            IngestState::Online(Box::new(online)),
            Some(Event::Online { peer }),
        )
    }

    fn ended(&mut self, online: &Online, ending: Ending, now: Instant) -> Transition {
        if online.was_stable(self.config.stable_after, now) {
            self.failures = 0;
        }
        match ending {
            Ending::Error(error) => self.offline(error, now),
            Ending::Paused => (IngestState::Idle, None),
            Ending::Finished => self.finish(),
        }
    }

    fn offline(&mut self, error: Error, now: Instant) -> Transition {
        let was_online = !matches!(error, Error::Connect(_));
        let refused_for = error.retry_in();
        let error = Arc::new(error);
        if let Some(retry_in) = refused_for {
            self.source.visits().refused(Refusal {
                error: Arc::clone(&error),
                until: now + retry_in,
                retries: self.control.commands().retries,
            });
            return self.wait(error, retry_in, now);
        }
        // That somebody else has the camera now is no fault of the camera: it may be read there.
        let is_elsewhere = matches!(*error, Error::TenureEnded);
        let retry_in = if is_elsewhere || (was_online && self.source.is_passive()) {
            Duration::ZERO
        } else {
            let delay = self.config.backoff.delay(self.failures, self.seed);
            self.failures = self.failures.saturating_add(1);
            match self.source.longest_wait(&error) {
                Some(longest) => delay.min(longest),
                None => delay,
            }
        };
        self.wait(error, retry_in, now)
    }

    fn wait(&self, error: Arc<Error>, retry_in: Duration, now: Instant) -> Transition {
        let wait = RetryWait::new(now + retry_in, self.control.commands());
        (
            IngestState::Waiting(wait),
            Some(Event::Offline { error, retry_in }),
        )
    }

    fn finish(&mut self) -> Transition {
        self.guard = None;
        (IngestState::Finished, None)
    }
}

/// As [`next`](Self::next).
impl Stream for Ingest {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        self.get_mut().poll_event(cx)
    }
}

impl fmt::Debug for Ingest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ingest")
            .field("source", &self.reconnect.source)
            .finish_non_exhaustive()
    }
}

/// Connects. The first attempt of an ingest keeps its distance from that of the ingest before.
fn attempt(source: Source, config: IngestConfig, is_first: bool) -> Attempt {
    Box::pin(async move {
        if is_first {
            let visits = source.visits();
            let now = Instant::now();
            let at = visits.connects_at(now, config.connect_interval);
            if at > now {
                sleep_until(at).await;
            }
            visits.connects(Instant::now());
        }
        source.connect().connect_within(&config).await
    })
}
