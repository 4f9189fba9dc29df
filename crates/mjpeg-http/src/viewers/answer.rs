//! An answer other than a stream, such as a snapshot: what bounds its sending.

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::Context,
    time::Duration,
};

use futures_util::task::AtomicWaker;
use tokio::time::Instant;

use crate::{config::stream::StreamConfig, stats::StreamCounters, viewers::cut::CutReason};

/// An answer on its way, shared between its body, the table of viewers, and the connection.
#[derive(Debug)]
pub(crate) struct AnswerState {
    id: u64,
    home: Option<IpAddr>,
    /// Which frame is being sent; 0 for none.
    pub(crate) sending: AtomicU64,
    /// How long its text or small picture is; 0 for a frame, and before it is made.
    own_bytes: std::sync::atomic::AtomicUsize,
    write_stall: Duration,
    max_send_time: Duration,
    /// When sending began.
    begun: Mutex<Option<Instant>>,
    counters: Arc<StreamCounters>,
    is_cut: AtomicBool,
    /// The connection's task, while it waits to write.
    writing: AtomicWaker,
}

impl AnswerState {
    pub(crate) fn new(
        (home, id): (Option<IpAddr>, u64),
        config: &StreamConfig,
        counters: &Arc<StreamCounters>,
    ) -> Self {
        Self {
            id,
            home,
            sending: AtomicU64::new(0),
            own_bytes: std::sync::atomic::AtomicUsize::new(0),
            write_stall: config.write_stall(),
            max_send_time: config.max_frame_send_time(),
            begun: Mutex::default(),
            counters: Arc::clone(counters),
            is_cut: AtomicBool::new(false),
            writing: AtomicWaker::new(),
        }
    }

    /// Its key in the table.
    pub(crate) fn key(&self) -> (Option<IpAddr>, u64) {
        (self.home, self.id)
    }

    pub(crate) fn counters(&self) -> &StreamCounters {
        &self.counters
    }

    /// Records that sending begins.
    pub(crate) fn begin(&self, now: Instant) {
        self.begun().get_or_insert(now);
    }

    /// Records that sending the next frame of several begins.
    #[cfg(feature = "replay")]
    pub(crate) fn restart(&self, now: Instant) {
        *self.begun() = Some(now);
    }

    fn begun(&self) -> MutexGuard<'_, Option<Instant>> {
        // Nothing under this lock can panic.
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many bytes of its own it holds on its way: a text or a small picture. One that is cut is
    /// about to let go of them.
    pub(crate) fn own_bytes(&self) -> usize {
        if self.is_cut() {
            return 0;
        }
        self.own_bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn set_own_bytes(&self, bytes: usize) {
        self.own_bytes.store(bytes, Ordering::Relaxed);
    }

    /// Ends it, even in the middle of its body.
    pub(crate) fn cut(&self) {
        self.is_cut.store(true, Ordering::Release);
        self.writing.wake();
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::Acquire)
    }

    /// When a write that has taken no byte since then must be given up, and why. Wakes the task
    /// when the answer is cut.
    pub(crate) fn limit(&self, waiting_since: Instant, cx: &Context<'_>) -> (Instant, CutReason) {
        self.writing.register(cx.waker());
        if self.is_cut() {
            return (waiting_since, CutReason::Chosen);
        }
        let stalled_at = waiting_since + self.write_stall;
        let slow_at = *self.begun().get_or_insert(waiting_since) + self.max_send_time;
        if slow_at < stalled_at {
            (slow_at, CutReason::TooSlow)
        } else {
            (stalled_at, CutReason::Stalled)
        }
    }
}
