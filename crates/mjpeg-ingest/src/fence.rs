//! The input of a connection that may be used for a time only.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures_util::Stream;
use tokio::{
    io::{AsyncRead, ReadBuf},
    task::AbortHandle,
    time::Instant,
};

use crate::{
    error::SourceEnd,
    input::{BoxedFrames, BoxedReader},
    parsed::{Parsed, ParsedFeed},
    relayed::Delivered,
    tenure::Tenure,
};

/// An input that is dropped when its tenure ends, and fails from then on.
///
/// A task of its own sees to that: whoever reads the connection may be busy with something else at
/// that moment, or never read again.
pub(crate) struct Fence<T> {
    state: Arc<Mutex<FenceState<T>>>,
    tenure: Tenure,
    made: Instant,
    watchdog: AbortHandle,
}

struct FenceState<T> {
    /// `None` once the tenure has ended.
    input: Option<T>,
    /// Who waits for the input.
    waker: Option<Waker>,
}

impl<T: Send + 'static> Fence<T> {
    /// Fences an input. Must be called in a runtime.
    pub(crate) fn new(input: T, tenure: &Tenure) -> Self {
        let state = Arc::new(Mutex::new(FenceState {
            input: Some(input),
            waker: None,
        }));
        let watched = (Arc::clone(&state), tenure.clone());
        let watchdog = tokio::spawn(async move {
            let (state, tenure) = watched;
            tenure.ended().await;
            cut(&state);
        });
        Self {
            state,
            tenure: tenure.clone(),
            made: Instant::now(),
            watchdog: watchdog.abort_handle(),
        }
    }

    /// Reads from the input, unless the tenure has ended.
    fn read<R>(
        &self,
        cx: &mut Context<'_>,
        read: impl FnOnce(&mut T, &mut Context<'_>) -> Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if !self.tenure.is_open(Instant::now()) {
            cut(&self.state);
        }
        let mut state = locked(&self.state);
        let FenceState { input, waker } = &mut *state;
        let Some(input) = input else {
            return Poll::Ready(Err(SourceEnd::TenureEnded.into()));
        };
        if !waker.as_ref().is_some_and(|set| set.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
        read(input, cx)
    }

    /// Asks the input; `None` if the tenure has ended.
    fn ask<R>(&self, ask: impl FnOnce(&mut T) -> R) -> Option<R> {
        locked(&self.state).input.as_mut().map(ask)
    }
}

impl<T> Drop for Fence<T> {
    fn drop(&mut self) {
        self.watchdog.abort();
        // The aborted task may live a little longer.
        let input = locked(&self.state).input.take();
        drop(input);
    }
}

/// Closes the input, and wakes whoever waits for it.
fn cut<T>(state: &Mutex<FenceState<T>>) {
    let mut state = locked(state);
    let (input, waker) = (state.input.take(), state.waker.take());
    drop(state);
    drop(input);
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// A panic of an input is not to close it less.
fn locked<T>(state: &Mutex<FenceState<T>>) -> MutexGuard<'_, FenceState<T>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl AsyncRead for Fence<BoxedReader> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.read(cx, |input, cx| input.as_mut().poll_read(cx, buf))
    }
}

impl Stream for Fence<BoxedFrames> {
    type Item = io::Result<Delivered>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.read(cx, |input, cx| input.as_mut().poll_next(cx).map(Ok));
        next.map(|next| next.unwrap_or_else(|error| Some(Err(error))))
    }
}

impl ParsedFeed for Fence<Box<dyn ParsedFeed>> {
    fn poll_found(&mut self, cx: &mut Context<'_>) -> Poll<Option<Parsed>> {
        let found = self.ask(|feed| feed.poll_found(cx));
        found.unwrap_or(Poll::Ready(None))
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        self.read(cx, |feed, cx| feed.poll_read(cx))
    }

    fn finish(&mut self) {
        self.ask(|feed| feed.finish());
    }

    fn cut_off(&mut self) {
        self.ask(|feed| feed.cut_off());
    }

    fn cost(&self) -> (u64, u64) {
        self.ask(|feed| feed.cost()).unwrap_or_default()
    }

    fn last_read(&self) -> Instant {
        self.ask(|feed| feed.last_read()).unwrap_or(self.made)
    }

    fn keeps_time(&self) -> bool {
        self.ask(|feed| feed.keeps_time()).unwrap_or_default()
    }

    fn interval(&self) -> Option<Duration> {
        self.ask(|feed| feed.interval()).flatten()
    }
}
