//! A limit on viewers that several streams share.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use crate::stats::Counter;

/// How many viewers several streams may have together. Clones share one limit: put them into the
/// [`StreamConfig`](crate::StreamConfig)s of all those streams.
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
pub struct ViewerLimit(Arc<Total>);

#[derive(Debug)]
struct Total {
    most: AtomicUsize,
    now: AtomicUsize,
    refused: Counter,
}

impl ViewerLimit {
    /// Makes a limit of this many viewers.
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Total {
            most: most.into(),
            now: AtomicUsize::new(0),
            refused: Counter::default(),
        }))
    }

    /// Changes the limit of all clones. Viewers over a lower limit stay; new ones are refused.
    pub fn set(&self, most: usize) {
        self.0.most.store(most, Ordering::Relaxed);
    }

    /// The limit.
    pub fn most(&self) -> usize {
        self.0.most.load(Ordering::Relaxed)
    }

    /// How many viewers there are now.
    pub fn viewers(&self) -> usize {
        self.0.now.load(Ordering::Relaxed)
    }

    /// How many viewers were refused because of this limit.
    pub fn refused(&self) -> u64 {
        self.0.refused.read()
    }

    /// Takes a place, if one is free.
    pub(crate) fn take(&self) -> bool {
        let most = self.most();
        let more = |now| (now < most).then_some(now + 1);
        let taken = self
            .0
            .now
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.is_ok()
    }

    pub(crate) fn give_back(&self) {
        self.0.now.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn count_refused(&self) {
        self.0.refused.add_one();
    }
}

/// Two limits are equal if they are clones of one.
impl PartialEq for ViewerLimit {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
