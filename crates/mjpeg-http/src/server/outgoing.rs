//! What is being sent on a connection under hyper.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Context,
};

use futures_util::task::AtomicWaker;

use crate::viewers::answer::AnswerState;

/// What a connection's service and its socket tell one another about the answer in progress.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outgoing(Arc<OutgoingState>);

#[derive(Debug, Default)]
struct OutgoingState {
    /// A flush has completed since the last reset, and nothing was written since.
    is_flushed: AtomicBool,
    /// Something was written and not flushed yet.
    is_dirty: AtomicBool,
    /// An answer of ours is being made or sent.
    is_answering: AtomicBool,
    /// What bounds the sending of that answer.
    answer: Mutex<Option<Arc<AnswerState>>>,
    /// The connection's task, if it was not told that the client has closed its side.
    untold: AtomicWaker,
}

impl Outgoing {
    /// Forgets earlier flushes.
    pub(crate) fn reset(&self) {
        self.0.is_flushed.store(false, Ordering::Relaxed);
    }

    /// Records that something is being written.
    pub(crate) fn written(&self) {
        self.reset();
        self.0.is_dirty.store(true, Ordering::Relaxed);
    }

    /// Records that all is flushed.
    pub(crate) fn flushed(&self) {
        self.0.is_flushed.store(true, Ordering::Relaxed);
        self.0.is_dirty.store(false, Ordering::Relaxed);
        if !self.0.is_answering.load(Ordering::Relaxed) {
            *self.lock() = None;
            self.0.untold.wake();
        }
    }

    /// Whether a flush has completed since the last [`reset`](Self::reset) and nothing was written
    /// since.
    pub(crate) fn is_flushed(&self) -> bool {
        self.0.is_flushed.load(Ordering::Relaxed)
    }

    /// Records that an answer of ours is being made, for as long as the guard lives.
    pub(crate) fn answering(&self) -> Answering {
        self.0.is_answering.store(true, Ordering::Relaxed);
        Answering(self.clone())
    }

    /// Whether an answer of ours is being made, or has not reached the client yet. If so, the task
    /// is woken when it has.
    pub(crate) fn is_busy(&self, cx: &Context<'_>) -> bool {
        let is_answering = self.0.is_answering.load(Ordering::Relaxed);
        let is_sending = self.answer().is_some() && self.0.is_dirty.load(Ordering::Relaxed);
        if is_answering || is_sending {
            self.0.untold.register(cx.waker());
        }
        is_answering || is_sending
    }

    /// Sets what bounds the sending of the answer.
    pub(crate) fn bound(&self, answer: Arc<AnswerState>) {
        *self.lock() = Some(answer);
    }

    /// What bounds the sending of the answer in progress, if it is one of ours.
    pub(crate) fn answer(&self) -> Option<Arc<AnswerState>> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<AnswerState>>> {
        // Nothing under this lock can panic and leave half a change.
        self.0.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer is being made or sent.
#[derive(Debug)]
pub(crate) struct Answering(Outgoing);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.0.is_answering.store(false, Ordering::Relaxed);
        self.0.0.untold.wake();
    }
}
