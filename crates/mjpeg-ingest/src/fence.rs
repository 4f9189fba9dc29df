//! The input of a connection, or an attempt to make one, that may be used for a time only.

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
    tenure::{Tenure, TenureUse},
};

/// An input that is dropped when its tenure or something else ends, and fails from then on.
///
/// A task of its own sees to that: whoever reads the connection may be busy with something else at
/// that moment, or never read again.
pub(crate) struct Fence<T> {
    state: Arc<Mutex<FenceState<T>>>,
    tenure: Option<Tenure>,
    made: Instant,
    watchdog: AbortHandle,
}

struct FenceState<T> {
    /// `None` once the tenure has ended.
    input: Option<Fenced<T>>,
    /// Who waits for the input.
    waker: Option<Waker>,
}

/// An input, which counts in its tenure until after it was dropped.
struct Fenced<T> {
    input: T,
    _counts: Option<TenureUse>,
}

impl<T: Send + 'static> Fence<T> {
    /// Fences an input. Must be called in a runtime.
    pub(crate) fn within(input: T, tenure: &Tenure) -> Self {
        let ending = tenure.clone();
        Self::new(input, Some(tenure), async move { ending.ended().await })
    }

    /// Fences an input until something ends. Must be called in a runtime.
    pub(crate) fn until(input: T, end: impl Future<Output = ()> + Send + 'static) -> Self {
        Self::new(input, None, end)
    }

    fn new(
        input: T,
        tenure: Option<&Tenure>,
        end: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        let state = Arc::new(Mutex::new(FenceState {
            input: Some(Fenced {
                input,
                _counts: tenure.map(Tenure::begin_use),
            }),
            waker: None,
        }));
        let watched = Arc::clone(&state);
        let watchdog = tokio::spawn(async move {
            end.await;
            cut(&watched);
        });
        Self {
            state,
            tenure: tenure.cloned(),
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
        let is_open = |tenure: &Tenure| tenure.is_open(Instant::now());
        if !self.tenure.as_ref().is_none_or(is_open) {
            cut(&self.state);
        }
        let mut state = locked(&self.state);
        let FenceState { input, waker } = &mut *state;
        let Some(Fenced { input, .. }) = input else {
            return Poll::Ready(Err(SourceEnd::TenureEnded.into()));
        };
        if !waker.as_ref().is_some_and(|set| set.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
        read(input, cx)
    }

    /// Asks the input; `None` if the tenure has ended.
    fn ask<R>(&self, ask: impl FnOnce(&mut T) -> R) -> Option<R> {
        let mut state = locked(&self.state);
        state.input.as_mut().map(|fenced| ask(&mut fenced.input))
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

/// An attempt to connect.
pub(crate) type BoxedAttempt<C, E> = Pin<Box<dyn Future<Output = Result<C, E>> + Send>>;

impl<C, E: From<io::Error>> Future for Fence<BoxedAttempt<C, E>>
where
    BoxedAttempt<C, E>: 'static,
{
    type Output = Result<C, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<C, E>> {
        let made = self.read(cx, |attempt, cx| attempt.as_mut().poll(cx).map(Ok));
        made.map(|made| made.unwrap_or_else(|ended| Err(ended.into())))
    }
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
