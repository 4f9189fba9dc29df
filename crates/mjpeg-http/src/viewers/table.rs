//! The viewers of one stream, and the admission of new ones.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::time::Instant;

use crate::{
    config::stream::StreamConfig,
    limit::ViewerLimit,
    stats::StreamCounters,
    viewers::{
        admission::{ClientOrigin, Full},
        answer::AnswerState,
        in_flight::{InFlight, SentBytes},
        kicked::KickedKeys,
        viewer::{ViewerInfo, ViewerState},
    },
};

/// All viewers of a service.
#[derive(Debug, Default)]
pub(crate) struct ViewerTable {
    next_id: AtomicU64,
    next_answer_id: AtomicU64,
    admitted: Mutex<Admitted>,
    in_flight: InFlight,
    pub(crate) kicked: KickedKeys,
    /// The stream's name, for the log.
    stream: Option<Arc<str>>,
}

/// The admitted viewers, keyed by address: those of one address are found without a scan.
#[derive(Debug, Default)]
pub(crate) struct Admitted {
    viewers: BTreeMap<(Option<IpAddr>, u64), Arc<ViewerState>>,
    /// Snapshots and other answers on their way.
    answers: BTreeMap<(Option<IpAddr>, u64), Arc<AnswerState>>,
    /// How many of them were replaced and are about to end.
    leaving: usize,
}

impl ViewerTable {
    /// Makes an empty table for the stream of this name.
    pub(crate) fn new(stream: Option<Arc<str>>) -> Self {
        Self {
            stream,
            ..Self::default()
        }
    }

    /// The stream's name, if it has one.
    pub(crate) fn stream(&self) -> Option<&str> {
        self.stream.as_deref()
    }

    pub(crate) fn list(&self, now: Instant) -> Vec<ViewerInfo> {
        let mut all: Vec<_> = self.all().iter().map(|viewer| viewer.info(now)).collect();
        all.sort_unstable_by_key(|viewer| viewer.id);
        all
    }

    /// How many viewers there are, the highest rate of them, and the newest of them, at most this
    /// many.
    #[cfg(feature = "compat")]
    pub(crate) fn summary(&self, most: usize, now: Instant) -> Summary {
        let admitted = self.admitted();
        let viewers = admitted.viewers.len();
        let rates = admitted.viewers.values().map(|viewer| viewer.fps(now));
        let fastest = rates.fold(0.0, f64::max);
        let mut newest: Vec<_> = admitted.viewers.values().collect();
        if newest.len() > most {
            // Not sorted: there may be thousands, and they are locked.
            newest.select_nth_unstable_by_key(most, |viewer| std::cmp::Reverse(viewer.id));
            newest.truncate(most);
        }
        let newest: Vec<_> = newest.into_iter().cloned().collect();
        drop(admitted);
        Summary {
            viewers,
            fastest,
            newest: newest.iter().map(|viewer| viewer.info(now)).collect(),
        }
    }

    /// All viewers, as they are now.
    pub(crate) fn all(&self) -> Vec<Arc<ViewerState>> {
        self.admitted().viewers.values().cloned().collect()
    }

    pub(crate) fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn next_answer_id(&self) -> u64 {
        self.next_answer_id.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Records that a viewer or a snapshot takes a frame's bytes, and cuts those that hold the
    /// oldest frames while those in flight exceed `most_bytes`, however many share them.
    pub(crate) fn take(
        &self,
        seq: u64,
        sent: SentBytes<'_>,
        most_bytes: usize,
        counters: &StreamCounters,
    ) {
        for oldest in self.in_flight.take(seq, sent, most_bytes) {
            let admitted = self.admitted();
            let holds = |sending: &AtomicU64| sending.load(Ordering::Relaxed) == oldest;
            for viewer in admitted.viewers.values().filter(|one| holds(&one.sending)) {
                counters.in_flight_cuts.add_one();
                viewer.cut.notify_one();
            }
            for answer in admitted.answers.values().filter(|one| holds(&one.sending)) {
                counters.in_flight_cuts.add_one();
                answer.cut();
            }
        }
    }

    /// Held briefly, never across a wait.
    pub(crate) fn admitted(&self) -> MutexGuard<'_, Admitted> {
        // Nothing under this lock can panic and leave half a change.
        self.admitted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The viewers of a stream in short.
#[cfg(feature = "compat")]
pub(crate) struct Summary {
    pub(crate) viewers: usize,
    /// Parts per second of the viewer that gets most.
    pub(crate) fastest: f64,
    pub(crate) newest: Vec<ViewerInfo>,
}

impl Admitted {
    pub(crate) fn insert(&mut self, viewer: Arc<ViewerState>) {
        self.viewers.insert(viewer.key(), viewer);
    }

    /// Removes a viewer whose response has ended. Returns whether it still had its place.
    pub(crate) fn remove(&mut self, viewer: &ViewerState) -> bool {
        self.viewers.remove(&viewer.key());
        if viewer.is_replaced() {
            self.leaving -= 1;
        }
        !viewer.is_replaced()
    }

    pub(crate) fn insert_answer(&mut self, answer: Arc<AnswerState>) {
        self.answers.insert(answer.key(), answer);
    }

    pub(crate) fn remove_answer(&mut self, answer: &AnswerState) {
        self.answers.remove(&answer.key());
    }

    /// Makes room for one more answer on its way, or returns the limit that is reached.
    pub(crate) fn admit_answer(
        &self,
        origin: Option<ClientOrigin>,
        config: &StreamConfig,
        counters: &StreamCounters,
    ) -> Result<Option<ViewerLimit>, Full> {
        if let Some(most) = config.max_viewers_per_address()
            && let Some(origin) = origin.filter(ClientOrigin::is_counted)
        {
            let home = Some(origin.home());
            let there = self.answers.range((home, 0)..=(home, u64::MAX));
            if there.count() >= most.max(1) {
                counters.viewers_refused_address.add_one();
                return Err(Full::Address(most));
            }
        }
        if self.answers.len() >= config.max_snapshots() {
            counters.snapshots_refused.add_one();
            return Err(Full::Snapshots(config.max_snapshots()));
        }
        let Some(limit) = config.viewer_limit() else {
            return Ok(None);
        };
        if !limit.of_snapshots().take() {
            counters.snapshots_refused_total.add_one();
            limit.of_snapshots().count_refused();
            return Err(Full::TotalSnapshots(limit.max_snapshots()));
        }
        Ok(Some(limit.clone()))
    }

    /// Cuts the answers whose own bytes were made first, until those on their way fit into
    /// `most_bytes` together with these.
    pub(crate) fn make_room_for_own(
        &self,
        bytes: usize,
        most_bytes: usize,
        counters: &StreamCounters,
    ) {
        let others = self.answers.values().filter(|one| one.own_bytes() > 0);
        let mut others: Vec<_> = others.collect();
        others.sort_unstable_by_key(|answer| answer.key().1);
        let mut held: usize = others.iter().map(|answer| answer.own_bytes()).sum();
        for answer in others {
            if held + bytes <= most_bytes {
                return;
            }
            held -= answer.own_bytes();
            counters.in_flight_cuts.add_one();
            answer.cut();
        }
    }

    /// Makes room for a new viewer within all limits, by a free place or by replacing another
    /// viewer, or returns the limit that is reached.
    pub(crate) fn admit(
        &mut self,
        origin: Option<ClientOrigin>,
        config: &StreamConfig,
        counters: &StreamCounters,
        now: Instant,
    ) -> Result<Option<ViewerLimit>, Full> {
        let Some(full) = self.full(origin, config) else {
            return Ok(config.viewer_limit().cloned());
        };
        if let Some(replaced) = origin.and_then(|origin| self.dispensable(origin, now)) {
            // The new viewer takes its place within each limit.
            replaced.is_replaced.store(true, Ordering::Relaxed);
            replaced.cut.notify_one();
            let total = replaced.total.clone();
            self.leaving += 1;
            counters.viewers_replaced.add_one();
            return Ok(total);
        }
        match full {
            Full::Stream(_) => counters.viewers_refused_stream.add_one(),
            Full::Address(_) => counters.viewers_refused_address.add_one(),
            Full::Snapshots(_) | Full::TotalSnapshots(_) => counters.snapshots_refused.add_one(),
            Full::Total(_) => {
                counters.viewers_refused_total.add_one();
                if let Some(limit) = config.viewer_limit() {
                    limit.of_viewers().count_refused();
                }
            }
        }
        Err(full)
    }

    /// The first limit that is reached. If none is, a place of the total has been taken.
    fn full(&self, origin: Option<ClientOrigin>, config: &StreamConfig) -> Option<Full> {
        if let Some(most) = config.max_viewers_per_address()
            && let Some(origin) = origin.filter(ClientOrigin::is_counted)
            && self.staying(origin.home()).count() >= most
        {
            return Some(Full::Address(most));
        }
        if self.viewers.len() - self.leaving >= config.max_viewers() {
            return Some(Full::Stream(config.max_viewers()));
        }
        match config.viewer_limit() {
            Some(limit) if !limit.of_viewers().take() => Some(Full::Total(limit.most())),
            _ => None,
        }
    }

    /// The viewers of one address that still have their places.
    fn staying(&self, home: IpAddr) -> impl Iterator<Item = &Arc<ViewerState>> {
        let home = Some(home);
        let there = self.viewers.range((home, 0)..=(home, u64::MAX));
        there
            .map(|(_, viewer)| viewer)
            .filter(|viewer| !viewer.is_replaced())
    }

    /// The viewer that a new one may replace, if there is one.
    fn dispensable(&self, origin: ClientOrigin, now: Instant) -> Option<&Arc<ViewerState>> {
        let others = self
            .staying(origin.home())
            .map(|viewer| (viewer, viewer.health(now)));
        let may = others.filter(|(viewer, health)| {
            let ip = viewer.peer.and_then(|peer| peer.ip());
            ip.is_some_and(|ip| origin.may_replace(ip, health))
        });
        let first = may.max_by_key(|(_, health)| health.dispensable());
        first.map(|(viewer, _)| viewer)
    }
}
