//! Frames that come through several connections, in order.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use mjpeg_codec::FrameId;

/// Lets a frame pass only if its (epoch, seq) is greater than that of all frames before, whichever
/// connections they came through.
///
/// Set it with [`Connection::with_order`](crate::Connection::with_order). Clones share what they
/// have seen.
///
/// ```
/// use mjpeg_ingest::{FrameOrder, mjpeg_codec::FrameId};
///
/// let order = FrameOrder::new();
/// assert!(order.accept(FrameId { epoch: 2, seq: 7 }));
/// assert!(!order.accept(FrameId { epoch: 2, seq: 7 }));
/// assert!(!order.accept(FrameId { epoch: 1, seq: 99 }), "of an owner before");
/// assert!(order.accept(FrameId { epoch: 3, seq: 1 }));
/// assert_eq!(order.refused(), 2);
/// ```
#[derive(Clone, Debug, Default)]
pub struct FrameOrder(Arc<OrderShared>);

#[derive(Debug, Default)]
struct OrderShared {
    last: Mutex<Option<FrameId>>,
    refused: AtomicU64,
}

impl FrameOrder {
    /// Makes an order that has seen no frame.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns whether a frame comes after all that were accepted before, and accepts it then. It
    /// is counted otherwise.
    pub fn accept(&self, id: FrameId) -> bool {
        let rank = |id: FrameId| (id.epoch, id.seq);
        let mut last = self.0.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| rank(id) <= rank(last)) {
            self.0.refused.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        *last = Some(id);
        true
    }

    /// The frame accepted last.
    pub fn last(&self) -> Option<FrameId> {
        *self.0.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many frames were refused.
    pub fn refused(&self) -> u64 {
        self.0.refused.load(Ordering::Relaxed)
    }
}
