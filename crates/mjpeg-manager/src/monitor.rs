//! Keeps the state of one stream while its events go by.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use mjpeg_codec::{DiscardReason, Frame, repair::Repairs, verify::Verdict};
use mjpeg_fanout::{Producer, Status};
use mjpeg_ingest::{Captured, Event, Source};
use tokio::time::Instant;
use tracing::{debug, info, warn};

use crate::{
    Change, LastError, SourceInfo, State, StreamName, StreamSpec, Tally, event::Herald,
    freeze::Freeze, meter::Meter,
};

/// The state of one stream, shared between the task that drives it and whoever asks.
#[derive(Debug)]
pub(crate) struct Monitor {
    name: StreamName,
    herald: Herald,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
pub(crate) struct Seen {
    /// How each source is doing.
    pub(crate) sources: Vec<SourceInfo>,
    /// What holds for the stream as a whole, whatever its sources do.
    overall: Option<State>,
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
    pub(crate) freeze: Freeze,
}

impl Monitor {
    pub(crate) fn new(spec: &StreamSpec, herald: Herald) -> Self {
        let reasons = DiscardReason::ALL
            .map(DiscardReason::as_str)
            .into_iter()
            .chain([UNSUPPORTED, DAMAGED]);
        let state = match spec.linger {
            Some(_) => State::Idle,
            None => State::Connecting,
        };
        let mut seen = Seen {
            sources: Vec::new(),
            overall: None,
            state: state.clone(),
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
            freeze: Freeze::new(spec.frozen_after),
        };
        seen.list(&spec.sources, &state);
        Self {
            name: spec.name.clone(),
            herald,
            seen: Mutex::new(seen),
        }
    }

    /// Held briefly, never across a wait.
    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        // Every step under this lock leaves the figures readable.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what happened to a source, and publishes what is a frame for viewers.
    pub(crate) fn apply(&self, index: usize, event: Event, producer: &Producer, spec: &StreamSpec) {
        let state = match event {
            Event::Connecting => match self.seen().sources.get(index) {
                // An outage lasts until it is over, not until the next attempt.
                Some(SourceInfo {
                    state: State::Offline { .. },
                    ..
                }) => return,
                _ => State::Connecting,
            },
            Event::Online { peer } => {
                let mut seen = self.seen();
                info!(stream = %self.name, %peer, "camera online");
                seen.peer = Some(peer);
                seen.connections += 1;
                State::Online
            }
            Event::Frame(captured) => return self.frame(index, captured, producer, spec),
            Event::Discarded { reason, bytes } => {
                return self.seen().discard(reason.as_str(), bytes);
            }
            Event::Stalled { after } => State::Stalled { after },
            Event::Offline { error, retry_in } => {
                let error: Arc<str> = error.to_string().into();
                let retry_at = self.seen().fail(&error, retry_in);
                State::Offline { error, retry_at }
            }
            Event::Paused => State::Paused,
            // An event that this crate does not know changes nothing.
            _ => return,
        };
        self.enter(index, state, producer);
    }

    fn frame(&self, index: usize, captured: Captured, producer: &Producer, spec: &StreamSpec) {
        let Captured {
            frame, wall, mono, ..
        } = captured;
        self.make_active(index);
        self.enter(index, State::Online, producer);
        let bytes = frame.bytes.len() as u64;
        if !(spec.pass_unsupported || frame.displayable()) {
            return self.seen().discard(UNSUPPORTED, bytes);
        }
        if spec.check && matches!(frame.verify(), Verdict::Damaged(_)) {
            return self.seen().discard(DAMAGED, bytes);
        }
        let (frame, made) = frame.repaired(spec.repair);
        let change = self.seen().count(&frame, made);
        producer.publish(frame, wall, mono);
        if let Some(change) = change {
            warn!(stream = %self.name, ?change, "the camera's picture");
            self.herald.tell(&self.name, change);
        }
    }

    /// Frames come from this source.
    fn make_active(&self, index: usize) {
        let mut seen = self.seen();
        if seen
            .sources
            .get(index)
            .is_none_or(|source| source.is_active)
        {
            return;
        }
        for (at, source) in seen.sources.iter_mut().enumerate() {
            source.is_active = at == index;
        }
        let source = seen.sources[index].source.clone();
        warn!(stream = %self.name, %source, "frames come from another source now");
        self.herald
            .tell(&self.name, Change::Source { index, source });
    }

    /// A source is doing so.
    fn enter(&self, index: usize, state: State, producer: &Producer) {
        let mut seen = self.seen();
        if let Some(source) = seen.sources.get_mut(index) {
            let is_change = enter(&mut source.state, &mut source.since, state);
            // A camera that is off for days is one warning, not one per attempt.
            if let (false, State::Offline { error, .. }) = (is_change, &source.state) {
                debug!(stream = %self.name, source = source.source, %error, "camera still offline");
            }
        }
        self.settle(&mut seen, producer);
    }

    /// The sources at and behind this one are no longer connected.
    pub(crate) fn let_go(&self, from: usize, producer: &Producer) {
        let mut seen = self.seen();
        for source in seen.sources.iter_mut().skip(from) {
            enter(&mut source.state, &mut source.since, State::Idle);
        }
        self.settle(&mut seen, producer);
    }

    /// Reading begins, with these sources; or will begin with them, if something else holds for the stream as a whole.
    pub(crate) fn begin(&self, sources: &[Source], overall: Option<State>, producer: &Producer) {
        let mut seen = self.seen();
        seen.list(sources, overall.as_ref().unwrap_or(&State::Connecting));
        seen.overall = overall;
        self.settle(&mut seen, producer);
    }

    /// Nobody wants frames.
    pub(crate) fn idle(&self, producer: &Producer) {
        self.all(State::Idle, producer);
    }

    /// All sources have come to their end.
    pub(crate) fn ended(&self, producer: &Producer) {
        self.all(State::Ended, producer);
    }

    /// The task panicked; it begins anew after the delay.
    pub(crate) fn panicked(&self, retry_in: Duration, producer: &Producer) {
        let error: Arc<str> = "internal error: the stream's task panicked".into();
        let retry_at = {
            let mut seen = self.seen();
            seen.panics += 1;
            seen.fail(&error, retry_in)
        };
        self.all(State::Failed { error, retry_at }, producer);
    }

    fn all(&self, state: State, producer: &Producer) {
        let mut seen = self.seen();
        seen.overall = Some(state);
        self.settle(&mut seen, producer);
    }

    /// Finds how the stream is doing, and tells if that has changed.
    fn settle(&self, seen: &mut Seen, producer: &Producer) {
        let active = seen.sources.iter().find(|source| source.is_active);
        let Some(state) = seen.overall.clone().or(active.map(|a| a.state.clone())) else {
            return;
        };
        if !enter(&mut seen.state, &mut seen.since, state) {
            return;
        }
        let state = seen.state.clone();
        producer.set_status(match state {
            State::Connecting => Status::Connecting,
            State::Online => Status::Online,
            _ => Status::Offline,
        });
        match &state {
            State::Offline { error, .. } => {
                warn!(stream = %self.name, %error, "camera offline; trying again for ever");
            }
            State::Stalled { .. } => warn!(stream = %self.name, %state, "camera"),
            // Told with the address it leads to, or with the panic.
            State::Online | State::Failed { .. } => {}
            _ => info!(stream = %self.name, %state, "camera"),
        }
        self.herald.tell(&self.name, Change::State(state));
    }
}

impl Seen {
    fn list(&mut self, sources: &[Source], first: &State) {
        let now = SystemTime::now();
        let listed = sources
            .iter()
            .enumerate()
            .map(|(index, source)| SourceInfo {
                source: source.to_string(),
                is_active: index == 0,
                state: if index == 0 {
                    first.clone()
                } else {
                    State::Idle
                },
                since: now,
            });
        self.sources = listed.collect();
    }

    /// The source in use, as people write it.
    pub(crate) fn source(&self) -> String {
        let active = self.sources.iter().find(|source| source.is_active);
        active.map_or_else(String::new, |active| active.source.clone())
    }

    /// Keeps the error, and gives when the next attempt is due.
    fn fail(&mut self, message: &str, retry_in: Duration) -> SystemTime {
        let now = SystemTime::now();
        let message = message.to_owned();
        self.last_error = Some(LastError { message, at: now });
        now + retry_in
    }

    fn count(&mut self, frame: &Frame, repairs: Repairs) -> Option<Change> {
        for (name, made) in repairs.named() {
            *self.repaired.entry(name).or_default() += u64::from(made);
        }
        self.frames += 1;
        self.bytes += frame.bytes.len() as u64;
        self.size = Some((frame.width, frame.height));
        let now = Instant::now().into_std();
        self.meter.record(now);
        self.freeze.frame(&frame.bytes, now, SystemTime::now())
    }

    fn discard(&mut self, reason: &'static str, bytes: u64) {
        let tally = self.discarded.entry(reason).or_default();
        tally.count += 1;
        tally.bytes += bytes;
    }
}

/// Puts a state in the place of another, and tells whether it is a change. An outage keeps its beginning, whatever its reason becomes.
fn enter(state: &mut State, since: &mut SystemTime, new: State) -> bool {
    let is_change = !state.is_like(&new);
    let is_same_outage = matches!(
        (&*state, &new),
        (State::Offline { .. }, State::Offline { .. })
    );
    if is_change && !is_same_outage {
        *since = SystemTime::now();
    }
    *state = new;
    is_change
}

/// The reason of frames that are whole but that browsers cannot show.
const UNSUPPORTED: &str = "unsupported";

/// The reason of frames whose scan is damaged.
const DAMAGED: &str = "damaged";
