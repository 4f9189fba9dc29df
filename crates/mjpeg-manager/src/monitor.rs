//! Keeps the state of one stream while its events go by.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mjpeg_codec::verify::Verdict;
use mjpeg_fanout::{Producer, Status};
use mjpeg_ingest::{Captured, Event, Source};
use tracing::{debug, info, warn};

use crate::{
    Change, SourceInfo, State, StreamName, StreamSpec,
    event::Herald,
    seen::{DAMAGED, Seen, UNSUPPORTED, enter},
};

/// The state of one stream, shared between the task that drives it and whoever asks.
#[derive(Debug)]
pub(crate) struct Monitor {
    name: StreamName,
    herald: Herald,
    seen: Mutex<Seen>,
}

impl Monitor {
    pub(crate) fn new(spec: &StreamSpec, herald: Herald) -> Self {
        Self {
            name: spec.name.clone(),
            herald,
            seen: Mutex::new(Seen::new(spec)),
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
                seen.connected(index, peer);
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
            Event::Ended => State::Ended,
            // An event that this crate does not know changes nothing.
            _ => return,
        };
        self.enter(index, state, producer);
    }

    fn frame(&self, index: usize, captured: Captured, producer: &Producer, spec: &StreamSpec) {
        let Captured { frame, stamp, .. } = captured;
        self.make_active(index);
        self.enter(index, State::Online, producer);
        let bytes = frame.bytes().len() as u64;
        if !(spec.pass_unsupported || frame.displayable()) {
            return self.seen().discard(UNSUPPORTED, bytes);
        }
        if spec.check && matches!(frame.verify(), Verdict::Damaged(_)) {
            return self.seen().discard(DAMAGED, bytes);
        }
        let (frame, made) = frame.repaired(spec.repair);
        let (change, is_first) = {
            let mut seen = self.seen();
            let is_first = !std::mem::replace(&mut seen.has_frames, true);
            (seen.count(&frame, made), is_first)
        };
        producer.publish(frame, stamp);
        if is_first {
            producer.set_status(Status::Online);
        }
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
        // A better source may have been taken again, of which no frame has come since.
        if seen
            .sources
            .iter()
            .skip(from)
            .any(|source| source.is_active)
        {
            let last = from.saturating_sub(1);
            for (at, source) in seen.sources.iter_mut().enumerate() {
                source.is_active = at == last;
            }
        }
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

    /// Nothing is read, for want of viewers or on demand.
    pub(crate) fn rest(&self, state: State, producer: &Producer) {
        self.all(State::Idle, state, producer);
    }

    /// All sources have come to their end.
    pub(crate) fn ended(&self, producer: &Producer) {
        self.all(State::Ended, State::Ended, producer);
    }

    /// The task panicked; it begins anew after the delay.
    pub(crate) fn panicked(&self, retry_in: Duration, producer: &Producer) {
        let error: Arc<str> = "internal error: the stream's task panicked".into();
        let retry_at = {
            let mut seen = self.seen();
            seen.panics += 1;
            seen.fail(&error, retry_in)
        };
        let failed = State::Failed { error, retry_at };
        self.all(State::Idle, failed, producer);
    }

    /// Each source is doing so, and the stream as a whole otherwise.
    fn all(&self, each: State, overall: State, producer: &Producer) {
        let mut seen = self.seen();
        for source in &mut seen.sources {
            enter(&mut source.state, &mut source.since, each.clone());
        }
        seen.overall = Some(overall);
        self.settle(&mut seen, producer);
    }

    /// Finds how the stream is doing, and tells if that has changed.
    fn settle(&self, seen: &mut Seen, producer: &Producer) {
        let active = seen.active().map(|active| active.state.clone());
        let Some(state) = seen.overall.clone().or(active) else {
            return;
        };
        if !enter(&mut seen.state, &mut seen.since, state) {
            return;
        }
        let state = seen.state.clone();
        producer.set_status(match state {
            State::Connecting => Status::Connecting,
            // Only with a frame: what there was before it is no live picture.
            State::Online if seen.has_frames => Status::Online,
            State::Online => Status::Connecting,
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
