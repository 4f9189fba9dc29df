//! Who is watching, what each was sent, and which frames they hold.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use mjpeg_codec::multipart::{Layout, Part};
use mjpeg_fanout::{Published, Rhythm, Viewing};
use tokio::{sync::Notify, time::Instant};

use crate::{asked::StreamWish, stats::Counters};

/// One viewer of a stream, as it is now; from [`StreamService::viewers`](crate::StreamService::viewers).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ViewerInfo {
    /// Which viewer of its service: 1, 2, 3, …
    pub id: u64,
    /// Where it came from; not known where somebody else's server took its connection.
    pub peer: Option<SocketAddr>,
    /// The name it gave itself with `?key=`, at most 64 characters; else empty.
    pub key: String,
    /// The layout it gets.
    pub layout: Layout,
    /// How long it has been watching.
    pub watching: Duration,
    /// Parts sent to it, repeats included.
    pub sent: u64,
    /// Frames it was not sent because they came faster than it took them.
    pub skipped: u64,
    /// Bytes of parts sent to it.
    pub sent_bytes: u64,
    /// How old the last frame was, since its last byte was read from the camera, when sending it began. `None` before the first.
    pub age_at_send: Option<Duration>,
    /// Parts per second lately; 0 when none has come for a while.
    pub fps: f64,
    /// Whether it gets the last frame again soon after the camera falls silent, and not only at the keepalive's pace.
    pub repeat_soon: bool,
}

/// All viewers of a service.
#[derive(Debug, Default)]
pub(crate) struct Viewers {
    next_id: AtomicU64,
    entries: Mutex<BTreeMap<u64, Arc<Entry>>>,
    /// The newest frame that any viewer has taken.
    newest_seq: AtomicU64,
    /// Frames that viewers may still hold, in their order.
    in_flight: Mutex<VecDeque<InFlight>>,
}

#[derive(Debug)]
struct InFlight {
    seq: u64,
    part: Part,
}

#[derive(Debug)]
pub(crate) struct Entry {
    id: u64,
    peer: Option<SocketAddr>,
    key: String,
    layout: Layout,
    repeat_soon: bool,
    since: Instant,
    sent: AtomicU64,
    skipped: AtomicU64,
    sent_bytes: AtomicU64,
    /// In nanoseconds; the largest value before the first frame.
    age: AtomicU64,
    /// Which frame is being sent; 0 for none.
    sending: AtomicU64,
    rhythm: Rhythm,
    /// When sending last began, in nanoseconds from `since`; 0 before the first time.
    begun: AtomicU64,
    /// Rung when this viewer holds the oldest frame and there are too many.
    cut: Notify,
}

impl Viewers {
    pub(crate) fn list(&self) -> Vec<ViewerInfo> {
        let now = Instant::now();
        self.entries()
            .values()
            .map(|entry| entry.info(now))
            .collect()
    }

    /// Notes that a viewer takes a frame. The first to take it pays for the book-keeping: of the frames older than it, those that viewers hold may have
    /// `most_bytes` together; over that, whoever holds the oldest is cut.
    fn taken(&self, frame: &Arc<Published>, most_bytes: usize, counters: &Counters) {
        if self.newest_seq.fetch_max(frame.seq, Ordering::Relaxed) >= frame.seq {
            return;
        }
        let mut in_flight = lock(&self.in_flight);
        // What nobody but this list holds any more goes with it.
        in_flight.retain(|held| !held.part.is_unique());
        let mut bytes: usize = in_flight.iter().map(|held| held.part.size_bytes()).sum();
        while bytes > most_bytes
            && let Some(oldest) = in_flight.pop_front()
        {
            bytes -= oldest.part.size_bytes();
            let entries = self.entries();
            let holders = entries
                .values()
                .filter(|entry| entry.sending.load(Ordering::Relaxed) == oldest.seq);
            for holder in holders {
                counters.in_flight_cuts.add_one();
                holder.cut.notify_one();
            }
        }
        in_flight.push_back(InFlight {
            seq: frame.seq,
            part: frame.part().clone(),
        });
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Entry>>> {
        lock(&self.entries)
    }
}

/// Nothing under these locks can panic and leave half a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Entry {
    fn info(&self, now: Instant) -> ViewerInfo {
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let watching = now.saturating_duration_since(self.since);
        let silent = watching.saturating_sub(Duration::from_nanos(read(&self.begun)));
        let lately = |interval: &Duration| silent < QUIET.max(3 * *interval);
        let interval = self.rhythm.interval().filter(lately);
        ViewerInfo {
            id: self.id,
            peer: self.peer,
            key: self.key.clone(),
            layout: self.layout,
            watching,
            sent: read(&self.sent),
            skipped: read(&self.skipped),
            sent_bytes: read(&self.sent_bytes),
            age_at_send: Some(read(&self.age))
                .filter(|&age| age != u64::MAX)
                .map(Duration::from_nanos),
            fps: interval.map_or(0.0, |interval| 1.0 / interval.as_secs_f64()),
            repeat_soon: self.repeat_soon,
        }
    }
}

/// Without a part for so long, a viewer has no rate.
const QUIET: Duration = Duration::from_secs(2);

/// A viewer's place among the others, for as long as its response lives; counts as demand for frames meanwhile.
#[derive(Debug)]
pub(crate) struct Seat {
    viewers: Arc<Viewers>,
    entry: Arc<Entry>,
    counters: Arc<Counters>,
    most_in_flight_bytes: usize,
    _viewing: Viewing,
}

impl Seat {
    pub(crate) fn take(
        viewers: &Arc<Viewers>,
        counters: &Arc<Counters>,
        viewing: Viewing,
        peer: Option<SocketAddr>,
        wish: &StreamWish,
        most_in_flight_bytes: usize,
    ) -> Self {
        let entry = Arc::new(Entry {
            id: viewers.next_id.fetch_add(1, Ordering::Relaxed) + 1,
            peer,
            key: wish.key.clone(),
            layout: wish.layout,
            repeat_soon: wish.repeat_soon,
            since: Instant::now(),
            sent: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            sent_bytes: AtomicU64::new(0),
            age: AtomicU64::new(u64::MAX),
            sending: AtomicU64::new(0),
            rhythm: Rhythm::default(),
            begun: AtomicU64::new(0),
            cut: Notify::new(),
        });
        viewers.entries().insert(entry.id, Arc::clone(&entry));
        counters.viewers.up();
        Self {
            viewers: Arc::clone(viewers),
            entry,
            counters: Arc::clone(counters),
            most_in_flight_bytes,
            _viewing: viewing,
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
        let since_start = now.saturating_duration_since(self.entry.since).as_nanos() as u64;
        let before = self.entry.begun.swap(since_start.max(1), Ordering::Relaxed);
        if before > 0 {
            let gap = since_start.saturating_sub(before);
            self.entry.rhythm.beat(Duration::from_nanos(gap));
        }
        if is_repeat {
            self.counters.keepalives.add_one();
        } else if !frame.is_placeholder {
            let age = now.into_std().saturating_duration_since(frame.mono);
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
    }

    /// Waits until this viewer is to be cut because it holds the oldest of too many frames.
    pub(crate) async fn cut(&self) {
        self.entry.cut.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.viewers.entries().remove(&self.entry.id);
        self.counters.viewers.down();
    }
}
