//! The current sender.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes};
use mjpeg_codec::{Found, Splitter, SplitterConfig};
use tokio::{
    io::{AsyncRead, ReadBuf},
    net::TcpStream,
    time::Instant,
};

use super::{
    listening::Listening,
    rival::{Rival, Rivals},
};
use crate::{error::SourceEnd, timer::Timer};

/// The current sender, and the listener through which others may connect.
pub(super) struct Sender {
    stream: TcpStream,
    /// What was read of it while it was a rival.
    rest: Bytes,
    bound: Arc<Listening>,
    rhythm: SenderRhythm,
    timer: Timer,
}

/// How often a sender sends.
struct SenderRhythm {
    /// Looks for its first whole frame; `None` once that has come.
    first: Option<Splitter>,
    last_read: Option<Instant>,
    /// The longest time between two reads.
    longest_gap: Duration,
}

impl Sender {
    pub(super) fn new(sender: Rival, bound: Arc<Listening>) -> Self {
        let (stream, rest, has_frame) = sender.into_parts();
        Self {
            stream,
            rest,
            bound,
            rhythm: SenderRhythm::new(has_frame),
            timer: Timer::default(),
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
        let mut rivals = this.bound.rivals();
        if read.is_ready() {
            let came = &buf.filled()[before..];
            // If it has ended, the next connection is to a rival.
            if !came.is_empty() {
                this.rhythm.record(came, Instant::now());
                if this.rhythm.has_frame() && !rivals.is_empty() {
                    rivals.refuse();
                }
            }
            return read;
        }
        // An error, such as no descriptor left, is retried when the sender sends.
        while let Poll::Ready(Ok((stream, peer))) = this.bound.listener.poll_accept(cx) {
            rivals.add(Rival::new(stream, peer, Instant::now()));
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

impl SenderRhythm {
    fn new(has_frame: bool) -> Self {
        Self {
            first: (!has_frame).then(|| Splitter::new(SplitterConfig::default())),
            last_read: None,
            longest_gap: Duration::ZERO,
        }
    }

    fn has_frame(&self) -> bool {
        self.first.is_none()
    }

    /// Records what came.
    fn record(&mut self, bytes: &[u8], now: Instant) {
        if let Some(splitter) = &mut self.first {
            splitter.push(Bytes::copy_from_slice(bytes));
            let mut found = std::iter::from_fn(|| splitter.poll());
            if found.any(|found| matches!(found, Found::Frame(_))) {
                self.first = None;
            }
        }
        if let Some(last) = self.last_read.replace(now) {
            self.longest_gap = self.longest_gap.max(now.saturating_duration_since(last));
        }
    }

    /// When it gives way to a rival that has a frame, if there is one and it sends nothing until
    /// then. One that never had a frame itself gives way at once.
    fn gives_way_at(&self, rivals: &Rivals, now: Instant) -> Option<Instant> {
        rivals.with_frame()?;
        Some(match self.last_read {
            Some(last) if self.has_frame() => {
                last + SILENT_AFTER.max(self.longest_gap.saturating_mul(GAPS))
            }
            _ => now,
        })
    }
}

/// How long a sender must have been silent, at least, for another one to replace it.
const SILENT_AFTER: Duration = Duration::from_secs(2);

/// How many of its longest pauses it must have been silent.
const GAPS: u32 = 2;
