//! The viewers' places: who has one, and how room is made for another.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use mjpeg_fanout::{Consumer, Published, Viewing};
use tokio::time::Instant;

use crate::{
    HttpConfig, ViewerLimit,
    admission::{Full, Origin},
    asked::StreamWish,
    stats::Counters,
    viewers::{Entry, Viewers},
};

/// By where they come from, so that those of one address are found without a look at all.
#[derive(Debug, Default)]
pub(crate) struct Seated {
    pub(crate) entries: BTreeMap<(Option<IpAddr>, u64), Arc<Entry>>,
    /// How many of them have lost their place and are about to end.
    leaving: usize,
}

impl Seated {
    /// Makes room for a newcomer in all limits, by a place that is free or by one that it may take from another, or tells which limit is reached.
    fn admit(
        &mut self,
        origin: Option<Origin>,
        config: &HttpConfig,
        counters: &Counters,
    ) -> Result<(), Full> {
        let Some(full) = self.full(origin, config) else {
            return Ok(());
        };
        if let Some(place) = origin.and_then(|origin| self.dispensable(origin)) {
            // Its place in each limit is the newcomer's now.
            place.is_replaced.store(true, Ordering::Relaxed);
            place.cut.notify_one();
            self.leaving += 1;
            counters.viewers_replaced.add_one();
            return Ok(());
        }
        match full {
            Full::Stream(_) => counters.viewers_refused_stream.add_one(),
            Full::Address(_) => counters.viewers_refused_address.add_one(),
            Full::Total(_) => {
                counters.viewers_refused_total.add_one();
                if let Some(total) = &config.viewer_limit {
                    total.count_refused();
                }
            }
        }
        Err(full)
    }

    /// The first limit that is reached. If none is, a place of the total has been taken.
    fn full(&self, origin: Option<Origin>, config: &HttpConfig) -> Option<Full> {
        if let Some(most) = config.max_viewers_per_address
            && let Some(origin) = origin.filter(Origin::is_counted)
            && self.staying(origin.home()).count() >= most
        {
            return Some(Full::Address(most));
        }
        if self.entries.len() - self.leaving >= config.max_viewers {
            return Some(Full::Stream(config.max_viewers));
        }
        match &config.viewer_limit {
            Some(total) if !total.take() => Some(Full::Total(total.most())),
            _ => None,
        }
    }

    /// Those of one address that have a place.
    fn staying(&self, home: IpAddr) -> impl Iterator<Item = &Arc<Entry>> {
        let home = Some(home);
        let there = self.entries.range((home, 0)..=(home, u64::MAX));
        there
            .map(|(_, entry)| entry)
            .filter(|entry| !entry.is_replaced())
    }

    /// Whose place a newcomer may take.
    fn dispensable(&self, origin: Origin) -> Option<&Arc<Entry>> {
        let now = Instant::now();
        let others = self
            .staying(origin.home())
            .map(|entry| (entry, entry.health(now)));
        let may = others.filter(|(entry, health)| {
            let peer = entry.peer.map(|peer| peer.ip());
            peer.is_some_and(|ip| origin.may_replace(ip, health))
        });
        let first = may.max_by_key(|(_, health)| health.dispensable());
        first.map(|(entry, _)| entry)
    }
}

/// A viewer's place among the others, for as long as its response lives; counts as demand for frames meanwhile.
#[derive(Debug)]
pub(crate) struct Seat {
    viewers: Arc<Viewers>,
    entry: Arc<Entry>,
    counters: Arc<Counters>,
    total: Option<ViewerLimit>,
    most_in_flight_bytes: usize,
    _viewing: Viewing,
}

impl Seat {
    /// Takes a place among those viewers, if a newcomer from there gets one.
    pub(crate) fn take(
        viewers: &Arc<Viewers>,
        counters: &Arc<Counters>,
        consumer: &Consumer,
        peer: Option<SocketAddr>,
        wish: &StreamWish,
        config: &HttpConfig,
    ) -> Result<Self, Full> {
        let origin = peer.map(|peer| Origin::of(peer, config));
        // Until the viewer is seated, so that no other takes the same place.
        let mut seated = viewers.seated();
        seated.admit(origin, config, counters)?;
        let id = viewers.next_id.fetch_add(1, Ordering::Relaxed) + 1;
        let home = origin.map(|origin| origin.home());
        let entry = Arc::new(Entry::new(id, peer, home, wish));
        seated.entries.insert(entry.place(), Arc::clone(&entry));
        drop(seated);
        let (viewers, counters) = (Arc::clone(viewers), Arc::clone(counters));
        let total = config.viewer_limit.clone();
        Ok(Self::of(viewers, counters, consumer, entry, total, config))
    }

    /// Takes a place where nobody else is, and no limit holds.
    pub(crate) fn alone(consumer: &Consumer, wish: &StreamWish, config: &HttpConfig) -> Self {
        let viewers = Arc::<Viewers>::default();
        let entry = Arc::new(Entry::new(1, None, None, wish));
        let mut seated = viewers.seated();
        seated.entries.insert(entry.place(), Arc::clone(&entry));
        drop(seated);
        Self::of(viewers, Arc::default(), consumer, entry, None, config)
    }

    fn of(
        viewers: Arc<Viewers>,
        counters: Arc<Counters>,
        consumer: &Consumer,
        entry: Arc<Entry>,
        total: Option<ViewerLimit>,
        config: &HttpConfig,
    ) -> Self {
        counters.viewers.up();
        Self {
            viewers,
            entry,
            counters,
            total,
            most_in_flight_bytes: config.max_inflight_bytes,
            _viewing: consumer.viewing(),
        }
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Sending a frame begins; `skipped` were missed since the last one. Of a repeat, the age tells nothing.
    pub(crate) fn begin(
        &self,
        frame: &Arc<Published>,
        bytes: usize,
        skipped: u64,
        is_repeat: bool,
        now: Instant,
    ) {
        let add = |number: &AtomicU64, n: u64| number.fetch_add(n, Ordering::Relaxed);
        self.counters.parts.add_one();
        self.counters.skipped.add(skipped);
        add(&self.entry.sent, 1);
        add(&self.entry.skipped, skipped);
        add(&self.entry.sent_bytes, bytes as u64);
        let since_start = self.entry.since_start(now);
        let before = self.entry.begun.swap(since_start, Ordering::Relaxed);
        if before > 0 {
            let gap = since_start.saturating_sub(before);
            self.entry.rhythm.beat(Duration::from_nanos(gap));
        }
        if is_repeat {
            self.counters.keepalives.add_one();
        } else if !frame.is_placeholder {
            let age = now
                .into_std()
                .saturating_duration_since(frame.stamp.monotonic());
            self.entry
                .age
                .store(age.as_nanos() as u64, Ordering::Relaxed);
        }
        // Before the book-keeping, so that whoever keeps the books sees it.
        self.entry.sending.store(frame.seq, Ordering::Relaxed);
        self.viewers
            .taken(frame, self.most_in_flight_bytes, &self.counters);
    }

    /// The frame is out of our hands.
    pub(crate) fn done(&self) {
        self.entry.sending.store(0, Ordering::Relaxed);
        self.entry.blocked.store(0, Ordering::Relaxed);
    }

    /// Its socket takes no byte from now on, for what is known.
    pub(crate) fn blocks(&self, now: Instant) {
        let since_start = self.entry.since_start(now);
        self.entry.blocked.store(since_start, Ordering::Relaxed);
    }

    /// What others may know of it.
    pub(crate) fn entry(&self) -> Arc<Entry> {
        Arc::clone(&self.entry)
    }

    /// Whether another viewer has got its place, so that it has to end.
    pub(crate) fn is_replaced(&self) -> bool {
        self.entry.is_replaced()
    }

    /// Waits until this viewer is to be cut because it holds the oldest of too many frames, or has lost its place.
    pub(crate) async fn cut(&self) {
        self.entry.cut.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seated = self.viewers.seated();
        seated.entries.remove(&self.entry.place());
        if self.entry.is_replaced() {
            seated.leaving -= 1;
        } else if let Some(total) = &self.total {
            total.give_back();
        }
        drop(seated);
        self.counters.viewers.down();
    }
}
