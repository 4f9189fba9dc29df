//! Keeps the state of one stream while its events go by.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use mjpeg_codec::{DiscardReason, Frame, repair::Repairs};
use mjpeg_fanout::{Producer, Status};
use mjpeg_ingest::{Captured, Event};
use tokio::time::Instant;

use crate::{LastError, State, StreamSpec, Tally, meter::Meter};

/// The state of one stream, shared between the task that drives it and whoever asks.
#[derive(Debug)]
pub(crate) struct Monitor(Mutex<Seen>);

#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) state: State,
    pub(crate) since: SystemTime,
    pub(crate) peer: Option<String>,
    pub(crate) size: Option<(u16, u16)>,
    pub(crate) meter: Meter,
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
    pub(crate) discarded: BTreeMap<&'static str, Tally>,
    pub(crate) repaired: BTreeMap<&'static str, u64>,
    pub(crate) connections: u64,
    pub(crate) last_error: Option<LastError>,
    pub(crate) panics: u64,
}

impl Monitor {
    pub(crate) fn new() -> Self {
        let reasons = DiscardReason::ALL
            .map(DiscardReason::as_str)
            .into_iter()
            .chain([UNSUPPORTED]);
        Self(Mutex::new(Seen {
            state: State::Connecting,
            since: SystemTime::now(),
            peer: None,
            size: None,
            meter: Meter::default(),
            frames: 0,
            bytes: 0,
            discarded: reasons.map(|reason| (reason, Tally::default())).collect(),
            repaired: Repairs::NONE.named().map(|(name, _)| (name, 0)).into(),
            connections: 0,
            last_error: None,
            panics: 0,
        }))
    }

    /// Held briefly, never across a wait.
    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        // Every step under this lock leaves the figures readable.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what happened, and publishes what is a frame for viewers.
    pub(crate) fn apply(&self, event: Event, producer: &Producer, spec: &StreamSpec) {
        match event {
            Event::Connecting => {
                self.seen().enter(State::Connecting);
                producer.set_status(Status::Connecting);
            }
            Event::Online { peer } => {
                let mut seen = self.seen();
                seen.peer = Some(peer);
                seen.connections += 1;
                seen.enter(State::Online);
                producer.set_status(Status::Online);
            }
            Event::Frame(Captured {
                frame, wall, mono, ..
            }) => {
                if !(spec.pass_unsupported || frame.displayable()) {
                    self.seen().discard(UNSUPPORTED, frame.bytes.len() as u64);
                    return;
                }
                let (frame, made) = frame.repaired(spec.repair);
                self.seen().count(&frame, made);
                producer.publish(frame, wall, mono);
            }
            Event::Discarded { reason, bytes } => self.seen().discard(reason.as_str(), bytes),
            Event::Offline { error, retry_in } => {
                let mut seen = self.seen();
                let retry_at = seen.fail(error.to_string(), retry_in);
                seen.enter(State::Offline { retry_at });
                producer.set_status(Status::Offline);
            }
            Event::Paused => {
                self.seen().enter(State::Paused);
                producer.set_status(Status::Offline);
            }
            // An event that this crate does not know changes nothing.
            _ => {}
        }
    }

    /// The task panicked; it begins anew after the delay.
    pub(crate) fn panicked(&self, retry_in: Duration, producer: &Producer) {
        let mut seen = self.seen();
        seen.panics += 1;
        let retry_at = seen.fail(
            "internal error: the stream's task panicked".into(),
            retry_in,
        );
        seen.enter(State::Failed { retry_at });
        producer.set_status(Status::Offline);
    }

    pub(crate) fn ended(&self, producer: &Producer) {
        self.seen().enter(State::Ended);
        producer.set_status(Status::Offline);
    }
}

impl Seen {
    fn enter(&mut self, state: State) {
        self.state = state;
        self.since = SystemTime::now();
    }

    /// Keeps the error, and gives when the next attempt is due.
    fn fail(&mut self, message: String, retry_in: Duration) -> SystemTime {
        let now = SystemTime::now();
        self.last_error = Some(LastError { message, at: now });
        now + retry_in
    }

    fn count(&mut self, frame: &Frame, repairs: Repairs) {
        for (name, made) in repairs.named() {
            *self.repaired.entry(name).or_default() += u64::from(made);
        }
        self.frames += 1;
        self.bytes += frame.bytes.len() as u64;
        self.size = Some((frame.width, frame.height));
        self.meter.record(Instant::now().into_std());
    }

    fn discard(&mut self, reason: &'static str, bytes: u64) {
        let tally = self.discarded.entry(reason).or_default();
        tally.count += 1;
        tally.bytes += bytes;
    }
}

/// The reason of frames that are whole but that browsers cannot show.
const UNSUPPORTED: &str = "unsupported";
