//! Where requests wait until their stream reads them.

use std::{
    collections::VecDeque,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use mjpeg_codec::SplitterConfig;
use tokio::time::Instant;

use super::{outcome::PushOutcome, pace::PushPace, request::PushRequest};
use crate::source::takeover::rivals::{Rival, Rivals};

/// The requests of one stream.
#[derive(Debug, Default)]
pub(in crate::source) struct Intake(Mutex<IntakeState>);

/// Locked briefly, never across a wait.
#[derive(Debug, Default)]
pub(super) struct IntakeState {
    /// The largest frame of the stream, while it is read.
    max_frame_bytes: Option<usize>,
    /// Requests that the stream has not looked at.
    arrived: VecDeque<PushRequest>,
    /// Those of the current sender, in the order they came.
    next: VecDeque<PushRequest>,
    /// Those of others.
    pub(super) rivals: Rivals<PushRequest>,
    pub(super) pace: PushPace,
    /// Who waits for requests.
    waker: Option<Waker>,
}

/// The request that is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Present {
    None,
    /// Its end is near.
    Single,
    Stream,
}

/// Takes requests until it is dropped, which answers those that wait.
#[derive(Debug)]
pub(in crate::source) struct OpenIntake(Arc<Intake>);

impl Intake {
    /// Begins to take requests.
    pub(in crate::source) fn open(self: &Arc<Self>, splitter: &SplitterConfig) -> OpenIntake {
        self.state().max_frame_bytes = Some(splitter.max_frame_bytes());
        OpenIntake(Arc::clone(self))
    }

    /// The largest frame of the stream, if it is read.
    pub(in crate::source) fn max_frame_bytes(&self) -> Option<usize> {
        self.state().max_frame_bytes
    }

    /// Adds a request, which may be answered at once: with a refusal.
    pub(in crate::source) fn offer(&self, mut request: PushRequest) {
        let refusal = {
            let mut state = self.state();
            let waiting = state.arrived.len() + state.next.len();
            match state.max_frame_bytes {
                None => PushOutcome::NotReading,
                Some(_) if waiting >= MAX_WAITING => PushOutcome::Full,
                Some(_) => {
                    state.arrived.push_back(request);
                    let waker = state.waker.take();
                    drop(state);
                    if let Some(waker) = waker {
                        waker.wake();
                    }
                    return;
                }
            }
        };
        request.answer(refusal);
    }

    /// Waits for the first request of a sender: rather of one that has sent a whole picture.
    pub(super) fn poll_first(&self, cx: &mut Context<'_>) -> Poll<PushRequest> {
        let mut state = self.state();
        state.waits(cx);
        let rival = match state.rivals.with_frame() {
            Some(_) => state.rivals.take_best(),
            None => None,
        };
        let request = rival.map(into_request);
        let request = request.or_else(|| state.next.pop_front());
        let request = request.or_else(|| state.arrived.pop_front());
        let request = request.or_else(|| state.rivals.take_best().map(into_request));
        match request {
            Some(mut request) => {
                // What else waits may be another sender's.
                while let Some(earlier) = state.next.pop_back() {
                    state.arrived.push_front(earlier);
                }
                request.set_if_dropped(PushOutcome::Ended);
                Poll::Ready(request)
            }
            None => Poll::Pending,
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, IntakeState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl IntakeState {
    /// Registers the task that waits for requests.
    pub(super) fn waits(&mut self, cx: &Context<'_>) {
        match &mut self.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
    }

    /// Sorts what has arrived: requests of the current sender follow its present one, unless that
    /// is a stream, which has no end. All others are rivals.
    pub(super) fn sort(&mut self, sender: Option<IpAddr>, present: Present, now: Instant) {
        if present == Present::Stream {
            while let Some(earlier) = self.next.pop_back() {
                self.arrived.push_front(earlier);
            }
        }
        while let Some(mut request) = self.arrived.pop_front() {
            if request.sender == sender && present != Present::Stream {
                self.next.push_back(request);
            } else {
                request.set_if_dropped(PushOutcome::Busy);
                let peer = request.peer();
                self.rivals.add(Rival::new(request, peer, now));
            }
        }
    }

    /// Takes the next request of the current sender.
    pub(super) fn next(&mut self, sender: Option<IpAddr>) -> Option<PushRequest> {
        let next = self.next.pop_front();
        let is_its = |request: &PushRequest| request.sender == sender;
        let mut next = next.or_else(|| self.rivals.take_first(is_its).map(into_request))?;
        next.set_if_dropped(PushOutcome::Ended);
        Some(next)
    }

    /// Whether the current sender has sent another request.
    pub(super) fn has_next(&self) -> bool {
        !self.next.is_empty()
    }
}

impl Drop for OpenIntake {
    fn drop(&mut self) {
        let (arrived, next, rivals) = {
            let mut state = self.0.state();
            state.max_frame_bytes = None;
            state.waker = None;
            (
                std::mem::take(&mut state.arrived),
                std::mem::take(&mut state.next),
                std::mem::take(&mut state.rivals),
            )
        };
        drop((arrived, next, rivals));
    }
}

fn into_request(rival: Rival<PushRequest>) -> PushRequest {
    let (mut request, bytes, _) = rival.into_parts();
    request.unread(bytes);
    request
}

/// How many requests may wait, beside the one that is read and the rivals
/// (`max_waiting_requests`).
const MAX_WAITING: usize = 16;
