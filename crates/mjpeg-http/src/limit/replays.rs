//! The limit on replays and clips that several streams share.

use std::sync::Arc;

use crate::limit::Total;

/// How many replays and clips several streams may have together. Clones share one limit: put them
/// into the [`StreamConfig`](crate::StreamConfig)s of all those streams.
///
/// ```
/// use mjpeg_http::{ReplayLimit, StreamConfig};
///
/// let together = ReplayLimit::new(16);
/// let door = StreamConfig::default().with_replay_limit(together.clone());
/// let yard = StreamConfig::default().with_replay_limit(together.clone());
/// # let _ = (door, yard);
/// assert_eq!((together.most(), together.now(), together.refused()), (16, 0, 0));
/// ```
#[derive(Clone, Debug)]
pub struct ReplayLimit(Arc<Total>);

impl ReplayLimit {
    /// Makes a limit of this many.
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Total::new(most)))
    }

    /// Changes the limit of all clones. What is over a lower limit goes on; new ones are refused.
    pub fn set(&self, most: usize) {
        self.0.set(most);
    }

    /// Returns the limit.
    pub fn most(&self) -> usize {
        self.0.most()
    }

    /// Returns how many replays and clips are on their way now.
    pub fn now(&self) -> usize {
        self.0.now()
    }

    /// Returns how many were refused because of this limit.
    pub fn refused(&self) -> u64 {
        self.0.refused.read()
    }

    pub(crate) fn total(&self) -> &Total {
        &self.0
    }
}

/// Two limits are equal if they are clones of one.
impl PartialEq for ReplayLimit {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
