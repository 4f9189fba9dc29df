//! The figures of one stream.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use mjpeg_codec::{DiscardReason, Frame, repair::Repairs};
use mjpeg_fanout::Status;
use mjpeg_ingest::{FailureReason, Source};
use tokio::time::Instant;

use crate::{
    detect::kind::Detection,
    spec::StreamSpec,
    state::StreamState,
    status::{
        freeze::{Freeze, Motion},
        info::{DiscardTotal, LastError, SourceInfo},
        journal::Journal,
    },
};

/// What is known about one stream.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) sources: Vec<SourceInfo>,
    /// The state of the stream as a whole, where it does not follow from its sources.
    pub(crate) overall: Option<StreamState>,
    pub(crate) state: StreamState,
    pub(crate) since: SystemTime,
    pub(crate) size: Option<(u16, u16)>,
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
    pub(crate) received_bytes: u64,
    pub(crate) discarded: BTreeMap<&'static str, DiscardTotal>,
    pub(crate) repaired: BTreeMap<&'static str, u64>,
    pub(crate) connections: u64,
    /// A frame was published since the connection in use was made.
    pub(crate) has_frames: bool,
    pub(crate) failures: BTreeMap<&'static str, u64>,
    pub(crate) last_error: Option<LastError>,
    pub(crate) panics: u64,
    pub(crate) freeze: Freeze,
    pub(crate) detected: Vec<Detection>,
    pub(crate) detections: BTreeMap<&'static str, u64>,
    pub(crate) undetectable: u64,
    pub(crate) journal: Journal,
}

/// Why a whole frame is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeldBack {
    /// Browsers cannot show it.
    Unsupported,
    /// Its scan is damaged.
    Damaged,
    /// It has no EOI, and its scan was cut off, or no EOI is to be appended.
    Truncated,
}

impl HeldBack {
    const ALL: [Self; 3] = [Self::Unsupported, Self::Damaged, Self::Truncated];

    /// Returns the key in [`StreamInfo::discarded`](crate::StreamInfo::discarded).
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Unsupported => "unsupported",
            Self::Damaged => "damaged",
            Self::Truncated => DiscardReason::Truncated.as_str(),
        }
    }
}

impl Record {
    pub(crate) fn new(spec: &StreamSpec) -> Self {
        let reasons = DiscardReason::ALL
            .iter()
            .map(|reason| reason.as_str())
            .chain(HeldBack::ALL.map(HeldBack::as_str));
        let is_idle = spec.linger().is_some() && !spec.sources().is_empty();
        let state = if is_idle {
            StreamState::Idle
        } else {
            StreamState::Connecting
        };
        let mut record = Self {
            sources: Vec::new(),
            overall: None,
            state: state.clone(),
            since: SystemTime::now(),
            size: None,
            frames: 0,
            bytes: 0,
            received_bytes: 0,
            discarded: reasons
                .map(|reason| (reason, DiscardTotal::default()))
                .collect(),
            repaired: Repairs::NONE.named().map(|(name, _)| (name, 0)).collect(),
            connections: 0,
            has_frames: false,
            failures: FailureReason::ALL
                .iter()
                .map(|reason| (reason.as_str(), 0))
                .collect(),
            last_error: None,
            panics: 0,
            freeze: Freeze::new(spec.frozen_after()),
            detected: Vec::new(),
            detections: Detection::ALL
                .iter()
                .map(|kind| (kind.as_str(), 0))
                .collect(),
            undetectable: 0,
            journal: Journal::default(),
        };
        record.list(spec.sources(), &state);
        record
    }

    /// Replaces the sources. The first one is in the given state.
    pub(crate) fn list(&mut self, sources: &[Source], first: &StreamState) {
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
                    StreamState::Idle
                },
                since: now,
                peer: None,
                failures: BTreeMap::new(),
            });
        self.sources = listed.collect();
        self.has_frames = false;
        self.freeze.forget();
    }

    /// The source in use, for people.
    pub(crate) fn source(&self) -> String {
        let active = self.active();
        active.map_or_else(String::new, |active| active.source.clone())
    }

    /// The other end of its connection, now or last.
    pub(crate) fn peer(&self) -> Option<String> {
        self.active()?.peer.clone()
    }

    pub(crate) fn active(&self) -> Option<&SourceInfo> {
        self.sources.iter().find(|source| source.is_active)
    }

    /// Makes this source the one in use.
    pub(crate) fn activate(&mut self, index: usize) {
        for (at, source) in self.sources.iter_mut().enumerate() {
            source.is_active = at == index;
        }
    }

    /// The status of the source that consumers read.
    pub(crate) fn fanout_status(&self) -> Status {
        match self.state {
            // Online only with a frame of this connection that was published: a picture from before
            // is not live.
            StreamState::Online if self.has_frames => Status::Online,
            StreamState::Online | StreamState::Connecting => Status::Connecting,
            StreamState::Idle => Status::Idle,
            _ => Status::Offline,
        }
    }

    /// A new connection to a source was made.
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

    /// Counts a failure of this source.
    pub(crate) fn count_failure(&mut self, index: usize, reason: FailureReason) {
        let of_source = self.sources.get_mut(index);
        let of_source = of_source.map(|source| &mut source.failures);
        for failures in of_source.into_iter().chain([&mut self.failures]) {
            *failures.entry(reason.as_str()).or_default() += 1;
        }
    }

    /// Keeps the error, and returns when the next attempt is due.
    pub(crate) fn fail(&mut self, message: &str, retry_in: Duration) -> SystemTime {
        self.note(message) + retry_in
    }

    /// Keeps an error, and returns the time.
    pub(crate) fn note(&mut self, message: &str) -> SystemTime {
        let now = SystemTime::now();
        let message = message.to_owned();
        self.last_error = Some(LastError { message, at: now });
        now
    }

    /// Counts a frame that is published.
    pub(crate) fn published(&mut self, frame: &Frame, repairs: Repairs) -> Option<Motion> {
        for (name, made) in repairs.named() {
            *self.repaired.entry(name).or_default() += u64::from(made);
        }
        self.has_frames = true;
        self.frames += 1;
        self.bytes += frame.bytes().len() as u64;
        self.size = Some((frame.width(), frame.height()));
        let now = Instant::now().into_std();
        self.freeze.frame(frame.bytes(), now, SystemTime::now())
    }

    /// Counts what is not published.
    pub(crate) fn discarded(&mut self, reason: &'static str, bytes: u64) {
        let total = self.discarded.entry(reason).or_default();
        total.count += 1;
        total.bytes += bytes;
    }
}

/// Replaces a state, and returns whether that is a change. An outage keeps its beginning even if
/// its reason changes.
pub(crate) fn enter(state: &mut StreamState, since: &mut SystemTime, new: StreamState) -> bool {
    let is_change = !state.is_like(&new);
    let is_same_outage = matches!(
        (&*state, &new),
        (StreamState::Offline { .. }, StreamState::Offline { .. })
    );
    if is_change && !is_same_outage {
        *since = SystemTime::now();
    }
    *state = new;
    is_change
}
