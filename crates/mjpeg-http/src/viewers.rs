//! Who is watching, what each was sent, and which frames they hold.

use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use mjpeg_codec::multipart::{Layout, Part};
use mjpeg_fanout::Published;
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};

use crate::{
    admission::Health, asked::StreamWish, rhythm::Rhythm, seats::Seated, stats::Counters, wire::Cut,
};

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
    pub(crate) next_id: AtomicU64,
    seated: Mutex<Seated>,
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
    pub(crate) id: u64,
    pub(crate) peer: Option<SocketAddr>,
    /// What counts as its address; none if that is not known.
    pub(crate) home: Option<IpAddr>,
    key: String,
    layout: Layout,
    repeat_soon: bool,
    pub(crate) since: Instant,
    pub(crate) sent: AtomicU64,
    pub(crate) skipped: AtomicU64,
    pub(crate) sent_bytes: AtomicU64,
    /// In nanoseconds; the largest value before the first frame.
    pub(crate) age: AtomicU64,
    /// Which frame is being sent; 0 for none.
    pub(crate) sending: AtomicU64,
    pub(crate) rhythm: Rhythm,
    /// When sending last began, in nanoseconds from `since`; 0 before the first time.
    pub(crate) begun: AtomicU64,
    /// Since when its socket takes no byte, as `begun`; 0 if none waits for it, and always where the socket is not ours.
    pub(crate) blocked: AtomicU64,
    /// Another viewer has got its place. Changed under the lock of those seated.
    pub(crate) is_replaced: AtomicBool,
    /// Rung when this viewer holds the oldest frame and there are too many, or has lost its place.
    pub(crate) cut: Notify,
}

impl Viewers {
    pub(crate) fn list(&self) -> Vec<ViewerInfo> {
        let now = Instant::now();
        let info = |entry: &Arc<Entry>| entry.info(now);
        let mut all: Vec<_> = self.seated().entries.values().map(info).collect();
        all.sort_unstable_by_key(|viewer| viewer.id);
        all
    }

    /// Notes that a viewer takes a frame. The first to take it pays for the book-keeping: of the frames older than it, those that viewers hold may have
    /// `most_bytes` together; over that, whoever holds the oldest is cut.
    pub(crate) fn taken(&self, frame: &Arc<Published>, most_bytes: usize, counters: &Counters) {
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
            let seated = self.seated();
            let holders = seated
                .entries
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

    pub(crate) fn seated(&self) -> MutexGuard<'_, Seated> {
        lock(&self.seated)
    }
}

/// Nothing under these locks can panic and leave half a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Entry {
    pub(crate) fn new(
        id: u64,
        peer: Option<SocketAddr>,
        home: Option<IpAddr>,
        wish: &StreamWish,
    ) -> Self {
        Self {
            id,
            peer,
            home,
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
            blocked: AtomicU64::new(0),
            is_replaced: AtomicBool::new(false),
            cut: Notify::new(),
        }
    }

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

    pub(crate) fn health(&self, now: Instant) -> Health {
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let watching = now.saturating_duration_since(self.since);
        let since = |nanos| watching.saturating_sub(Duration::from_nanos(nanos));
        let if_any = |nanos| {
            if nanos > 0 {
                since(nanos)
            } else {
                Duration::ZERO
            }
        };
        Health {
            blocked: if_any(read(&self.blocked)),
            sending: match read(&self.sending) {
                0 => Duration::ZERO,
                _ => since(read(&self.begun)),
            },
            watching,
        }
    }

    /// Waits until this viewer has to be cut, where others write to its socket than we.
    pub(crate) async fn has_to_go(&self, max_frame_send_time: Duration) -> Cut {
        // One that is not at a frame must not look as if it were too slow.
        let most = max_frame_send_time.max(Duration::from_millis(1));
        loop {
            let sending = self.health(Instant::now()).sending;
            if sending >= most {
                return Cut::TooSlow;
            }
            tokio::select! {
                () = self.cut.notified() => return Cut::Chosen,
                () = sleep(most - sending) => {}
            }
        }
    }

    /// Its key among those seated.
    pub(crate) fn place(&self) -> (Option<IpAddr>, u64) {
        (self.home, self.id)
    }

    pub(crate) fn is_replaced(&self) -> bool {
        self.is_replaced.load(Ordering::Relaxed)
    }

    /// A time in nanoseconds from its beginning, and never 0.
    pub(crate) fn since_start(&self, now: Instant) -> u64 {
        let nanos = now.saturating_duration_since(self.since).as_nanos();
        (nanos as u64).max(1)
    }
}

/// Without a part for so long, a viewer has no rate.
const QUIET: Duration = Duration::from_secs(2);
