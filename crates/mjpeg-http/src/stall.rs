//! A connection that gives up on a peer which takes nothing.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

use crate::{socket::Transport, stats::Counters};

/// A transport whose writes fail with `TimedOut` once the peer has taken no byte for `limit` while some were offered.
pub(crate) struct StallGuard<S> {
    stream: S,
    limit: Duration,
    counters: Arc<Counters>,
    /// Made at the first write that must wait; most viewers never need it.
    timer: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

impl<S: Transport> StallGuard<S> {
    pub(crate) fn new(stream: S, limit: Duration, counters: Arc<Counters>) -> Self {
        Self {
            stream,
            limit,
            counters,
            timer: None,
            waiting: false,
        }
    }

    /// The transport itself, without the guard.
    pub(crate) fn into_inner(self) -> S {
        self.stream
    }

    /// Passes on what a write gave, unless it has been pending for too long.
    fn watch<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = false;
            return written;
        }
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep(self.limit)));
        if !self.waiting {
            self.waiting = true;
            timer.as_mut().reset(Instant::now() + self.limit);
        }
        if timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.counters.write_stalls.add_one();
        self.stream.reset_on_drop();
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the viewer takes no bytes",
        )))
    }
}

impl<S: Transport> AsyncRead for StallGuard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: Transport> AsyncWrite for StallGuard<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.watch(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
