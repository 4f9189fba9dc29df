//! A connection under hyper: it gives up on a peer that takes nothing or too little, notices when
//! everything is flushed, and can be cut.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::oneshot,
    time::{Instant, Sleep, sleep_until},
};

use crate::{
    closing::Closing,
    server::{detach::Detach, outgoing::Outgoing},
    stats::{CountedConnection, ListenerCounters},
    transport::Transport,
    viewers::cut::CutReason,
};

/// A transport whose writes fail with `TimedOut` once the peer has taken no byte for `limit` while
/// some were offered. While an answer of a stream is being sent, the stream's own limits hold
/// instead.
///
/// It hides from hyper that the peer has closed its side, as long as an answer of ours is being
/// made or sent: hyper would take that for the end of the connection, but some clients close their
/// side behind their last request.
///
/// It counts as an open connection for as long as it lives, even if a fallback service has upgraded
/// it and owns it.
pub(crate) struct Guarded {
    transport: Transport,
    open: CountedConnection,
    /// Dropped with the connection, whatever owns it by then.
    _gone: oneshot::Sender<()>,
    limit: Duration,
    counters: Arc<ListenerCounters>,
    outgoing: Outgoing,
    /// Made at the first write that must wait; most connections never need it.
    timer: Option<Pin<Box<Sleep>>>,
    /// Since when the peer has taken no byte.
    waiting_since: Option<Instant>,
    /// One for the task that reads and one for the task that writes: each keeps its own waker.
    cut: Option<Cuts>,
}

struct Cuts {
    reading: Cut,
    writing: Cut,
    /// It is not to be cut any more.
    detach: Detach,
}

/// Becomes ready when the connection is to be cut.
type Cut = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Guarded {
    pub(crate) fn new(
        transport: Transport,
        (open, gone): (CountedConnection, oneshot::Sender<()>),
        limit: Duration,
        counters: Arc<ListenerCounters>,
    ) -> Self {
        Self {
            transport,
            open,
            _gone: gone,
            limit,
            counters,
            outgoing: Outgoing::default(),
            timer: None,
            waiting_since: None,
            cut: None,
        }
    }

    /// Fails reads and writes from the moment that this announces, unless it is detached before.
    pub(crate) fn cut_at(mut self, closing: Closing, detach: Detach) -> Self {
        let cut = |mut closing: Closing| -> Cut { Box::pin(async move { closing.wait().await }) };
        self.cut = Some(Cuts {
            reading: cut(closing.clone()),
            writing: cut(closing),
            detach,
        });
        self
    }

    pub(crate) fn outgoing(&self) -> Outgoing {
        self.outgoing.clone()
    }

    /// The transport itself, without the guard.
    pub(crate) fn into_parts(self) -> (Transport, CountedConnection) {
        (self.transport, self.open)
    }

    /// Passes on the outcome of a write, unless it has been pending for too long.
    fn watch<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting_since = None;
            return written;
        }
        let since = *self.waiting_since.get_or_insert_with(Instant::now);
        let answer = self.outgoing.answer();
        let (at, reason) = match &answer {
            Some(answer) => answer.limit(since, cx),
            None => (since + self.limit, CutReason::Stalled),
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if timer.deadline() != at {
            timer.as_mut().reset(at);
        }
        if timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        match &answer {
            Some(answer) => reason.count(answer.counters()),
            None => self.counters.write_stalls.add_one(),
        }
        self.transport.reset_on_drop();
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the client takes no bytes, or too few",
        )))
    }

    /// Forgets that it could be cut, if it is detached.
    fn forget_cut(&mut self) {
        if self
            .cut
            .as_ref()
            .is_some_and(|cuts| cuts.detach.is_detached())
        {
            self.cut = None;
        }
    }

    /// Fails if the connection is to be cut; else wakes the reading task when it is.
    fn check_reading(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        self.forget_cut();
        let cut = self.cut.as_mut().map(|cuts| &mut cuts.reading);
        check(cut, &self.transport, cx)
    }

    /// Fails if the connection is to be cut; else wakes the writing task when it is.
    fn check_writing(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        self.forget_cut();
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
        let before = buf.filled().len();
        let read = Pin::new(&mut self.transport).poll_read(cx, buf);
        let is_end = matches!(read, Poll::Ready(Ok(())))
            && buf.filled().len() == before
            && buf.remaining() > 0;
        if is_end && self.outgoing.is_busy(cx) {
            // It is told when the answer is sent.
            return Poll::Pending;
        }
        read
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check_writing(cx)?;
        self.outgoing.written();
        let written = Pin::new(&mut self.transport).poll_write(cx, buf);
        self.watch(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check_writing(cx)?;
        self.outgoing.written();
        let written = Pin::new(&mut self.transport).poll_write_vectored(cx, bufs);
        self.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.transport.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.transport).poll_flush(cx);
        if let Poll::Ready(Ok(())) = flushed {
            self.outgoing.flushed();
        }
        self.watch(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_shutdown(cx)
    }
}
