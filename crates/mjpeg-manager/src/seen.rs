//! What was seen of one stream.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use mjpeg_codec::{DiscardReason, Frame, repair::Repairs};
use mjpeg_ingest::Source;
use tokio::time::Instant;

use crate::{
    Change, LastError, SourceInfo, State, StreamSpec, Tally, freeze::Freeze, meter::Meter,
};

/// The figures of one stream.
#[derive(Debug)]
pub(crate) struct Seen {
    /// How each source is doing.
    pub(crate) sources: Vec<SourceInfo>,
    /// What holds for the stream as a whole, whatever its sources do.
    pub(crate) overall: Option<State>,
    pub(crate) state: State,
    pub(crate) since: SystemTime,
    pub(crate) size: Option<(u16, u16)>,
    pub(crate) meter: Meter,
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
    pub(crate) discarded: BTreeMap<&'static str, Tally>,
    pub(crate) repaired: BTreeMap<&'static str, u64>,
    pub(crate) connections: u64,
    /// The connection in use has had one for viewers.
    pub(crate) has_frames: bool,
    pub(crate) last_error: Option<LastError>,
    pub(crate) panics: u64,
    pub(crate) freeze: Freeze,
}

impl Seen {
    pub(crate) fn new(spec: &StreamSpec) -> Self {
        let reasons = DiscardReason::ALL
            .map(DiscardReason::as_str)
            .into_iter()
            .chain([UNSUPPORTED, DAMAGED]);
        let state = match spec.linger {
            Some(_) => State::Idle,
            None => State::Connecting,
        };
        let mut seen = Self {
            sources: Vec::new(),
            overall: None,
            state: state.clone(),
            since: SystemTime::now(),
            size: None,
            meter: Meter::default(),
            frames: 0,
            bytes: 0,
            discarded: reasons.map(|reason| (reason, Tally::default())).collect(),
            repaired: Repairs::NONE.named().map(|(name, _)| (name, 0)).into(),
            connections: 0,
            has_frames: false,
            last_error: None,
            panics: 0,
            freeze: Freeze::new(spec.frozen_after),
        };
        seen.list(&spec.sources, &state);
        seen
    }

    /// Takes these for the sources, of which the first is doing so.
    pub(crate) fn list(&mut self, sources: &[Source], first: &State) {
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
                peer: None,
            });
        self.sources = listed.collect();
        self.has_frames = false;
        self.freeze.forget();
    }

    /// The source in use, as people write it.
    pub(crate) fn source(&self) -> String {
        let active = self.active();
        active.map_or_else(String::new, |active| active.source.clone())
    }

    /// Whom its connection leads to, or led to last.
    pub(crate) fn peer(&self) -> Option<String> {
        self.active()?.peer.clone()
    }

    pub(crate) fn active(&self) -> Option<&SourceInfo> {
        self.sources.iter().find(|source| source.is_active)
    }

    /// A source is connected anew.
    pub(crate) fn connected(&mut self, index: usize, peer: String) {
        self.connections += 1;
        let Some(source) = self.sources.get_mut(index) else {
            return;
        };
        source.peer = Some(peer);
        if source.is_active {
            self.has_frames = false;
            self.freeze.forget();
        }
    }

    /// Keeps the error, and gives when the next attempt is due.
    pub(crate) fn fail(&mut self, message: &str, retry_in: Duration) -> SystemTime {
        let now = SystemTime::now();
        let message = message.to_owned();
        self.last_error = Some(LastError { message, at: now });
        now + retry_in
    }

    pub(crate) fn count(&mut self, frame: &Frame, repairs: Repairs) -> Option<Change> {
        for (name, made) in repairs.named() {
            *self.repaired.entry(name).or_default() += u64::from(made);
        }
        self.frames += 1;
        self.bytes += frame.bytes().len() as u64;
        self.size = Some((frame.width(), frame.height()));
        let now = Instant::now().into_std();
        self.meter.record(now);
        self.freeze.frame(frame.bytes(), now, SystemTime::now())
    }

    pub(crate) fn discard(&mut self, reason: &'static str, bytes: u64) {
        let tally = self.discarded.entry(reason).or_default();
        tally.count += 1;
        tally.bytes += bytes;
    }
}

/// Puts a state in the place of another, and tells whether it is a change. An outage keeps its beginning, whatever its reason becomes.
pub(crate) fn enter(state: &mut State, since: &mut SystemTime, new: State) -> bool {
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
pub(crate) const UNSUPPORTED: &str = "unsupported";

/// The reason of frames whose scan is damaged.
pub(crate) const DAMAGED: &str = "damaged";
