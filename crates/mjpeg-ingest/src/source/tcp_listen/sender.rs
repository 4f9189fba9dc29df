//! The current sender.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use mjpeg_codec::{Found, Splitter, SplitterConfig};
use tokio::{
    io::{AsyncRead, ReadBuf},
    net::TcpStream,
    time::Instant,
};

use super::listening::Listening;
use crate::{
    error::SourceEnd,
    source::takeover::{rhythm::SenderRhythm, rivals::Rival},
    timer::Timer,
};

/// The current sender, and the listener through which others may connect.
pub(super) struct Sender<S = TcpStream> {
    stream: S,
    /// What was read of it while it was a rival.
    rest: Bytes,
    bound: Arc<Listening>,
    /// Looks for its first whole frame; `None` once that has come.
    first: Option<Splitter>,
    rhythm: SenderRhythm,
    /// Bytes have come since others were looked at.
    has_read: bool,
    timer: Timer,
}

impl Sender {
    pub(super) fn new(sender: Rival<TcpStream>, bound: Arc<Listening>) -> Self {
        let (stream, rest, has_frame) = sender.into_parts();
        Self {
            stream,
            rest,
            bound,
            first: (!has_frame).then(|| Splitter::new(SplitterConfig::default())),
            rhythm: SenderRhythm::new(has_frame),
            has_read: false,
            timer: Timer::default(),
        }
    }
}

impl<S> Sender<S> {
    /// Records what came.
    fn record(&mut self, bytes: &[u8]) {
        self.has_read = true;
        self.rhythm.record(Instant::now());
        if let Some(splitter) = &mut self.first {
            splitter.push(Bytes::copy_from_slice(bytes));
            let mut found = std::iter::from_fn(|| splitter.poll());
            if found.any(|found| matches!(found, Found::Frame(_))) {
                self.first = None;
                self.rhythm.frame();
            }
        }
    }
    /// Accepts who connects, reads from those who would take its place, and waits until one does.
    fn poll_others(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        self.has_read = false;
        let mut rivals = self.bound.rivals();
        // An error, such as no descriptor left, is retried when the sender sends.
        while let Poll::Ready(Ok((stream, peer))) = self.bound.listener.poll_accept(cx) {
            rivals.add(Rival::new(stream, peer.to_string(), Instant::now()));
        }
        loop {
            let now = Instant::now();
            rivals.read(now, cx);
            let gives_way_at = self.rhythm.gives_way_at(&rivals, now);
            if gives_way_at.is_some_and(|at| at <= now)
                && let Some(rival) = rivals.with_frame()
            {
                let by = rival.peer().to_string();
                return Poll::Ready(SourceEnd::Replaced { by }.into());
            }
            let next = gives_way_at.into_iter().chain(rivals.expire_at()).min();
            let Some(next) = next else {
                return Poll::Pending;
            };
            ready!(self.timer.poll(cx, next));
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Sender<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        // A sender may always have bytes to read.
        if this.has_read
            && let Poll::Ready(error) = this.poll_others(cx)
        {
            return Poll::Ready(Err(error));
        }
        let before = buf.filled().len();
        let read = if this.rest.is_empty() {
            Pin::new(&mut this.stream).poll_read(cx, buf)
        } else {
            let n = this.rest.len().min(buf.remaining());
            buf.put_slice(&this.rest[..n]);
            this.rest.advance(n);
            Poll::Ready(Ok(()))
        };
        if read.is_pending() {
            return this.poll_others(cx).map(Err);
        }
        let came = &buf.filled()[before..];
        // If it has ended, the next connection is to a rival.
        if !came.is_empty() {
            this.record(came);
            let mut rivals = this.bound.rivals();
            if this.rhythm.has_frame() && !rivals.is_empty() {
                rivals.refuse();
            }
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, Repeat, repeat},
        net::TcpListener,
        time::timeout,
    };

    use super::*;

    #[tokio::test]
    async fn sender_that_never_pauses_gives_way_if_it_has_sent_no_picture() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let mut sender: Sender<Repeat> = Sender {
            stream: repeat(0xFF),
            rest: Bytes::new(),
            bound: Arc::new(Listening::new(listener)),
            first: Some(Splitter::new(SplitterConfig::default())),
            rhythm: SenderRhythm::new(false),
            has_read: false,
            timer: Timer::default(),
        };
        let mut rival = TcpStream::connect(addr).await.unwrap();
        rival
            .write_all(&mjpeg_testkit::jpeg::numbered(1))
            .await
            .unwrap();
        let replaced = timeout(Duration::from_secs(10), async {
            let mut space = [0; 1024];
            loop {
                if let Err(error) = sender.read(&mut space).await {
                    return error.to_string();
                }
                tokio::task::yield_now().await;
            }
        });
        let replaced = replaced.await.expect("the other one is heard");
        assert!(replaced.contains("has taken the place"), "{replaced}");
    }
}
