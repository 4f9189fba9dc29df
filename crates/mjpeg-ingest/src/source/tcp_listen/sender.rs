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
pub(super) struct Sender {
    stream: TcpStream,
    /// What was read of it while it was a rival.
    rest: Bytes,
    bound: Arc<Listening>,
    /// Looks for its first whole frame; `None` once that has come.
    first: Option<Splitter>,
    rhythm: SenderRhythm,
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
            timer: Timer::default(),
        }
    }

    /// Records what came.
    fn record(&mut self, bytes: &[u8]) {
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
}

impl AsyncRead for Sender {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        let read = if this.rest.is_empty() {
            Pin::new(&mut this.stream).poll_read(cx, buf)
        } else {
            let n = this.rest.len().min(buf.remaining());
            buf.put_slice(&this.rest[..n]);
            this.rest.advance(n);
            Poll::Ready(Ok(()))
        };
        if read.is_ready() {
            let came = &buf.filled()[before..];
            // If it has ended, the next connection is to a rival.
            if !came.is_empty() {
                this.record(came);
                let mut rivals = this.bound.rivals();
                if this.rhythm.has_frame() && !rivals.is_empty() {
                    rivals.refuse();
                }
            }
            return read;
        }
        let mut rivals = this.bound.rivals();
        // An error, such as no descriptor left, is retried when the sender sends.
        while let Poll::Ready(Ok((stream, peer))) = this.bound.listener.poll_accept(cx) {
            rivals.add(Rival::new(stream, peer.to_string(), Instant::now()));
        }
        loop {
            let now = Instant::now();
            rivals.read(now, cx);
            let gives_way_at = this.rhythm.gives_way_at(&rivals, now);
            if gives_way_at.is_some_and(|at| at <= now)
                && let Some(rival) = rivals.with_frame()
            {
                let by = rival.peer().to_string();
                return Poll::Ready(Err(SourceEnd::Replaced { by }.into()));
            }
            let next = gives_way_at.into_iter().chain(rivals.expire_at()).min();
            let Some(next) = next else {
                return Poll::Pending;
            };
            ready!(this.timer.poll(cx, next));
        }
    }
}
