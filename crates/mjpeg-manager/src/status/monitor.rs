//! Records what happens to one stream, and reports changes.

use std::{
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use mjpeg_codec::{Frame, repair::Repairs};
use mjpeg_ingest::{Error, Event, Source};
use tokio::{sync::watch, time::Instant};
use tracing::debug;

use crate::{
    detect::kind::Detection,
    event::{Change, EventSender},
    name::StreamName,
    spec::StreamSpec,
    state::StreamState,
    status::{
        freeze::Motion,
        log,
        record::{Record, enter},
    },
};

/// The record of one stream, shared between the task that drives it and those who read it.
#[derive(Debug)]
pub(crate) struct Monitor {
    name: StreamName,
    events: EventSender,
    /// Events are sent only between the stream's start and its stop. Changed under the record's
    /// lock.
    is_started: AtomicBool,
    record: Mutex<Record>,
    state: watch::Sender<StreamState>,
}

impl Monitor {
    pub(crate) fn new(spec: &StreamSpec, events: EventSender) -> Self {
        let record = Record::new(spec);
        Self {
            name: spec.name().clone(),
            events,
            is_started: AtomicBool::new(false),
            state: watch::Sender::new(record.state.clone()),
            record: Mutex::new(record),
        }
    }

    /// Locks the record. Held briefly, never across a wait.
    pub(crate) fn record(&self) -> MutexGuard<'_, Record> {
        // Every step under this lock leaves the figures readable.
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows the state of the stream.
    pub(crate) fn states(&self) -> watch::Receiver<StreamState> {
        self.state.subscribe()
    }

    /// Reports that the stream was started, and then what has happened to it meanwhile.
    pub(crate) fn started(&self) {
        let record = self.record();
        self.is_started.store(true, Ordering::Relaxed);
        self.send(Change::Started);
        let active = record.sources.iter().position(|source| source.is_active);
        if let Some(index) = active.filter(|&index| index > 0) {
            let source = record.source();
            self.send(Change::Source { index, source });
        }
        let state = &record.state;
        if !matches!(state, StreamState::Connecting | StreamState::Idle) {
            self.send(Change::State(state.clone()));
        }
    }

    /// Reports that the stream was stopped, as the last of its events.
    pub(crate) fn stopped(&self) {
        let _record = self.record();
        self.send(Change::Stopped);
        self.is_started.store(false, Ordering::Relaxed);
    }

    /// Takes over the settings of a new spec.
    pub(crate) fn configure(&self, spec: &StreamSpec) {
        let mut record = self.record();
        record.freeze.set_after(spec.frozen_after());
        // What is wrong with the new sources is told again.
        record.journal.end_outage(Instant::now());
        self.send(Change::Reconfigured);
    }

    /// Records what happened to a source, other than a frame.
    pub(crate) fn source_event(&self, index: usize, event: Event) {
        let state = match event {
            Event::Connecting => StreamState::Connecting,
            // Online is a camera whose pictures come.
            Event::Online { peer } => {
                debug!(stream = %self.name, peer, "camera connected");
                self.record().connected(index, peer);
                StreamState::Connecting
            }
            Event::Discarded { reason, bytes } => {
                self.received(bytes);
                return self.discarded(reason.as_str(), bytes);
            }
            Event::Flooded => return self.flooded(),
            Event::Stalled { after } => StreamState::Stalled { after },
            // That another may read the camera now is no outage.
            Event::Offline { error, .. } if matches!(*error, Error::TenureEnded) => {
                log::given_up(&self.name, &mut self.record());
                StreamState::Connecting
            }
            Event::Offline { error, retry_in } => {
                let reason = error.reason();
                let is_attempt = !matches!(*error, Error::RelayOffline);
                let error: Arc<str> = error.chain().to_string().into();
                let mut record = self.record();
                // The connection to a relay that has lost its camera goes on.
                if is_attempt {
                    record.journal.attempt();
                }
                record.count_failure(index, reason);
                let retry_at = record.fail(&error, retry_in);
                drop(record);
                StreamState::Offline {
                    error,
                    reason: reason.kind(),
                    retry_at,
                }
            }
            Event::Paused => StreamState::Paused,
            Event::Ended => StreamState::Ended,
            // Ignore events that this crate does not know.
            _ => return,
        };
        let is_attempt = matches!(state, StreamState::Connecting | StreamState::Stalled { .. });
        if is_attempt && self.is_offline(index) {
            // An outage lasts until a picture comes, not until the next attempt.
            return;
        }
        self.enter(index, state);
    }

    /// Records that the camera sends a flood.
    fn flooded(&self) {
        let mut record = self.record();
        record.note(FLOODED);
        log::flooded(&self.name, &mut record);
    }

    fn is_offline(&self, index: usize) -> bool {
        let record = self.record();
        let source = record.sources.get(index);
        source.is_some_and(|source| matches!(source.state, StreamState::Offline { .. }))
    }

    /// Records that a frame came from this source, published or not.
    pub(crate) fn frame_from(&self, index: usize) {
        self.make_active(index);
        self.enter(index, StreamState::Online);
    }

    /// Records that the program gave a frame to a fed stream, published or not.
    pub(crate) fn fed(&self) {
        let mut record = self.record();
        record.overall = Some(StreamState::Online);
        self.settle(&mut record);
    }

    /// Counts bytes as they came from the source.
    pub(crate) fn received(&self, bytes: u64) {
        self.record().received_bytes += bytes;
    }

    /// Counts a frame that is about to be published.
    pub(crate) fn published(&self, frame: &Frame, repairs: Repairs) -> Option<Motion> {
        self.record().published(frame, repairs)
    }

    /// Counts what is not published.
    pub(crate) fn discarded(&self, reason: &'static str, bytes: u64) {
        self.record().discarded(reason, bytes);
    }

    /// Reports that the picture has frozen, or moves again.
    pub(crate) fn report_motion(&self, motion: Motion) {
        let mut record = self.record();
        log::motion(&self.name, motion, &mut record);
        self.send(match motion {
            Motion::Frozen => Change::Frozen,
            Motion::Moving => Change::Moving,
        });
    }

    /// Records what the pictures show now, and reports what has changed.
    #[cfg(feature = "detect")]
    pub(crate) fn detected(&self, now: Vec<Detection>) {
        let mut record = self.record();
        self.detect(&mut record, now);
    }

    /// Counts a picture that could not be looked at.
    #[cfg(feature = "detect")]
    pub(crate) fn undetectable(&self) {
        self.record().undetectable += 1;
    }

    fn detect(&self, record: &mut Record, now: Vec<Detection>) {
        let before = mem::replace(&mut record.detected, now);
        for kind in Detection::ALL {
            match (before.contains(kind), record.detected.contains(kind)) {
                (false, true) => {
                    *record.detections.entry(kind.as_str()).or_default() += 1;
                    self.send(Change::Detected(*kind));
                }
                (true, false) => self.send(Change::Cleared(*kind)),
                _ => {}
            }
        }
    }

    fn make_active(&self, index: usize) {
        let mut record = self.record();
        let source = record.sources.get(index);
        if source.is_none_or(|source| source.is_active) {
            return;
        }
        record.activate(index);
        let source = record.source();
        log::active(&self.name, &source, &mut record);
        self.send(Change::Source { index, source });
    }

    /// Sets the state of a source.
    fn enter(&self, index: usize, state: StreamState) {
        let mut record = self.record();
        if let Some(source) = record.sources.get_mut(index) {
            let is_change = enter(&mut source.state, &mut source.since, state);
            // Warn once about a camera that is off for days, not at every attempt.
            if let (false, StreamState::Offline { error, .. }) = (is_change, &source.state) {
                debug!(stream = %self.name, source = source.source, %error, "camera still offline");
            }
        }
        self.settle(&mut record);
    }

    /// Records that only the first `in_use` sources are still connected.
    pub(crate) fn disconnected_from(&self, in_use: usize) {
        let mut record = self.record();
        let mut unused = record.sources.iter().skip(in_use);
        // A better source may have been taken again without having had a frame since.
        if unused.any(|source| source.is_active) {
            record.activate(in_use.saturating_sub(1));
        }
        for source in record.sources.iter_mut().skip(in_use) {
            enter(&mut source.state, &mut source.since, StreamState::Idle);
        }
        self.settle(&mut record);
    }

    /// Records that reading begins with these sources; or, if `overall` is given, that it will
    /// begin with them later.
    pub(crate) fn begin(&self, sources: &[Source], overall: Option<StreamState>) {
        let mut record = self.record();
        record.list(
            sources,
            overall.as_ref().unwrap_or(&StreamState::Connecting),
        );
        record.overall = overall;
        self.settle(&mut record);
    }

    /// Records that nothing is read, because nobody wants frames or the stream is paused.
    pub(crate) fn rest(&self, state: StreamState) {
        self.all(StreamState::Idle, state);
    }

    /// Records that all sources have come to their end.
    pub(crate) fn ended(&self) {
        self.all(StreamState::Ended, StreamState::Ended);
    }

    /// Records that the task panicked and will restart after the delay.
    pub(crate) fn panicked(&self, retry_in: Duration) {
        let error: Arc<str> = "internal error: the stream's task panicked".into();
        let retry_at = {
            let mut record = self.record();
            record.panics += 1;
            record.fail(&error, retry_in)
        };
        self.all(StreamState::Idle, StreamState::Failed { error, retry_at });
    }

    /// Sets the state of each source, and that of the stream as a whole.
    fn all(&self, each: StreamState, overall: StreamState) {
        let mut record = self.record();
        for source in &mut record.sources {
            enter(&mut source.state, &mut source.since, each.clone());
        }
        record.overall = Some(overall);
        self.settle(&mut record);
    }

    /// Derives the state of the stream, and reports it if it has changed.
    fn settle(&self, record: &mut Record) {
        let active = record.active().map(|active| active.state.clone());
        let Some(state) = record.overall.clone().or(active) else {
            return;
        };
        if !enter(&mut record.state, &mut record.since, state) {
            return;
        }
        let state = record.state.clone();
        log::state(&self.name, &state, record);
        self.state.send_replace(state.clone());
        if state != StreamState::Online {
            // Nobody knows what there is to see now.
            self.detect(record, Vec::new());
        }
        self.send(Change::State(state));
    }

    /// Writes how much was not written, if it is time. Returns when it will be.
    pub(crate) fn tell_suppressed(&self, now: Instant) -> Option<Instant> {
        let mut record = self.record();
        log::suppressed(&self.name, &mut record, now);
        record.journal.tells_at()
    }

    /// Call it under the record's lock, so that events have the order of changes.
    fn send(&self, change: Change) {
        if self.is_started.load(Ordering::Relaxed) {
            self.events.send(&self.name, change);
        }
    }
}

/// What is said of a [flood](Event::Flooded).
const FLOODED: &str = "the camera sends little but markers, header lines or tiny pictures (a flood); \
                       it is read more slowly, so that it takes a quarter of a core at most";
