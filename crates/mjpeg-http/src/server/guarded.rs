//! A connection under hyper: it gives up on a peer that takes nothing, notices when everything is
//! flushed, and can be cut.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::oneshot,
    time::{Instant, Sleep, sleep},
};

use crate::{
    closing::Closing,
    stats::{ListenerCounters, OpenConnection},
    transport::Transport,
};

/// A transport whose writes fail with `TimedOut` once the peer has taken no byte for `limit` while
/// some were offered.
///
/// It counts as an open connection for as long as it lives, even if a fallback service has upgraded
/// it and owns it.
pub(crate) struct Guarded {
    transport: Transport,
    open: OpenConnection,
    /// Dropped with the connection, whatever owns it by then.
    _gone: oneshot::Sender<()>,
    limit: Duration,
    counters: Arc<ListenerCounters>,
    flushed: Flushed,
    /// Made at the first write that must wait; most connections never need it.
    timer: Option<Pin<Box<Sleep>>>,
    is_waiting: bool,
    /// One for the task that reads and one for the task that writes: each keeps its own waker.
    cut: Option<Cuts>,
}

struct Cuts {
    reading: Cut,
    writing: Cut,
}

/// Becomes ready when the connection is to be cut.
type Cut = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Whether everything that was written has been flushed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flushed(Arc<AtomicBool>);

impl Flushed {
    /// Forgets earlier flushes.
    pub(crate) fn reset(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    /// Whether a flush has completed since the last [`reset`](Self::reset) and nothing was written
    /// since.
    pub(crate) fn is_flushed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Guarded {
    pub(crate) fn new(
        transport: Transport,
        (open, gone): (OpenConnection, oneshot::Sender<()>),
        limit: Duration,
        counters: Arc<ListenerCounters>,
    ) -> Self {
        Self {
            transport,
            open,
            _gone: gone,
            limit,
            counters,
            flushed: Flushed::default(),
            timer: None,
            is_waiting: false,
            cut: None,
        }
    }

    /// Fails reads and writes from the moment that this announces.
    pub(crate) fn cut_at(mut self, closing: Closing) -> Self {
        let cut = |mut closing: Closing| -> Cut { Box::pin(async move { closing.wait().await }) };
        self.cut = Some(Cuts {
            reading: cut(closing.clone()),
            writing: cut(closing),
        });
        self
    }

    pub(crate) fn flushed(&self) -> Flushed {
        self.flushed.clone()
    }

    /// The transport itself, without the guard.
    pub(crate) fn into_parts(self) -> (Transport, OpenConnection) {
        (self.transport, self.open)
    }

    /// Passes on the outcome of a write, unless it has been pending for too long.
    fn watch<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.is_waiting = false;
            return written;
        }
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep(self.limit)));
        if !self.is_waiting {
            self.is_waiting = true;
            timer.as_mut().reset(Instant::now() + self.limit);
        }
        if timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.counters.write_stalls.add_one();
        self.transport.reset_on_drop();
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the client takes no bytes",
        )))
    }

    /// Fails if the connection is to be cut; else wakes the reading task when it is.
    fn check_reading(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let cut = self.cut.as_mut().map(|cuts| &mut cuts.reading);
        check(cut, &self.transport, cx)
    }

    /// Fails if the connection is to be cut; else wakes the writing task when it is.
    fn check_writing(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let cut = self.cut.as_mut().map(|cuts| &mut cuts.writing);
        check(cut, &self.transport, cx)
    }
}

fn check(cut: Option<&mut Cut>, transport: &Transport, cx: &mut Context<'_>) -> io::Result<()> {
    let Some(cut) = cut else {
        return Ok(());
    };
    if cut.as_mut().poll(cx).is_pending() {
        return Ok(());
    }
    *cut = Box::pin(std::future::ready(()));
    transport.reset_on_drop();
    Err(io::ErrorKind::ConnectionAborted.into())
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check_reading(cx)?;
        Pin::new(&mut self.transport).poll_read(cx, buf)
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check_writing(cx)?;
        self.flushed.reset();
        let written = Pin::new(&mut self.transport).poll_write(cx, buf);
        self.watch(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check_writing(cx)?;
        self.flushed.reset();
        let written = Pin::new(&mut self.transport).poll_write_vectored(cx, bufs);
        self.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.transport.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.transport).poll_flush(cx);
        if let Poll::Ready(Ok(())) = flushed {
            self.flushed.0.store(true, Ordering::Relaxed);
        }
        self.watch(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_shutdown(cx)
    }
}
