//! Limits that several streams share.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use crate::stats::Counter;

#[cfg(feature = "replay")]
pub(crate) mod replays;

/// How many viewers, and how many snapshots on their way, several streams may have together. Clones
/// share one limit: put them into the [`StreamConfig`](crate::StreamConfig)s of all those streams.
///
/// ```
/// use mjpeg_http::{StreamConfig, ViewerLimit};
///
/// let together = ViewerLimit::new(500);
/// let door = StreamConfig::default().with_viewer_limit(together.clone());
/// let yard = StreamConfig::default().with_viewer_limit(together.clone());
/// # let _ = (door, yard);
/// assert_eq!((together.most(), together.viewers(), together.refused()), (500, 0, 0));
/// ```
#[derive(Clone, Debug)]
pub struct ViewerLimit(Arc<Totals>);

#[derive(Debug)]
struct Totals {
    viewers: Total,
    snapshots: Total,
}

/// A number of places, and how many are taken.
#[derive(Debug)]
pub(crate) struct Total {
    most: AtomicUsize,
    now: AtomicUsize,
    pub(crate) refused: Counter,
}

impl ViewerLimit {
    /// Makes a limit of this many viewers, and of 2000 snapshots.
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Totals {
            viewers: Total::new(most),
            snapshots: Total::new(MAX_SNAPSHOTS),
        }))
    }

    /// Changes the limit of all clones. Viewers over a lower limit stay; new ones are refused.
    pub fn set(&self, most: usize) {
        self.0.viewers.set(most);
    }

    /// The limit on viewers.
    pub fn most(&self) -> usize {
        self.0.viewers.most()
    }

    /// How many viewers there are now.
    pub fn viewers(&self) -> usize {
        self.0.viewers.now()
    }

    /// How many viewers were refused because of this limit.
    pub fn refused(&self) -> u64 {
        self.0.viewers.refused.read()
    }

    /// Changes, for all clones, how many requests for snapshots or `/state` may be waiting or on
    /// their way at once. Default 2000: twice what
    /// [one stream](crate::StreamConfig::with_max_snapshots) may have. One more is answered `503`.
    pub fn set_max_snapshots(&self, most: usize) {
        self.0.snapshots.set(most);
    }

    /// The limit on snapshots.
    pub fn max_snapshots(&self) -> usize {
        self.0.snapshots.most()
    }

    /// How many snapshots are waiting or on their way now.
    pub fn snapshots(&self) -> usize {
        self.0.snapshots.now()
    }

    /// How many snapshots were refused because of this limit.
    pub fn snapshots_refused(&self) -> u64 {
        self.0.snapshots.refused.read()
    }

    pub(crate) fn of_viewers(&self) -> &Total {
        &self.0.viewers
    }

    pub(crate) fn of_snapshots(&self) -> &Total {
        &self.0.snapshots
    }
}

impl Total {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most: most.into(),
            now: AtomicUsize::new(0),
            refused: Counter::default(),
        }
    }

    pub(crate) fn set(&self, most: usize) {
        self.most.store(most, Ordering::Relaxed);
    }

    pub(crate) fn most(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }

    pub(crate) fn now(&self) -> usize {
        self.now.load(Ordering::Relaxed)
    }

    /// Takes a place, if one is free.
    pub(crate) fn take(&self) -> bool {
        let most = self.most();
        let more = |now| (now < most).then_some(now + 1);
        let taken = self
            .now
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.is_ok()
    }

    pub(crate) fn give_back(&self) {
        self.now.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn count_refused(&self) {
        self.refused.add_one();
    }
}

/// Two limits are equal if they are clones of one.
impl PartialEq for ViewerLimit {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// The default limit on the snapshots of all streams together.
const MAX_SNAPSHOTS: usize = 2000;
