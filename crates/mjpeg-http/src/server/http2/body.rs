//! The body of a response over HTTP/2.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use crate::server::fallback::{BoxError, ListenerBody};

/// A body that is handed to hyper in pieces, so that it is known whether the client takes them:
/// hyper does not tell.
pub(super) struct PiecedBody {
    body: ListenerBody,
    /// What is left of the last data.
    rest: Bytes,
    progress: Arc<BodyProgress>,
}

impl PiecedBody {
    pub(super) fn new(body: ListenerBody, progress: Arc<BodyProgress>) -> Self {
        Self {
            body,
            rest: Bytes::new(),
            progress,
        }
    }
}

impl Body for PiecedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.rest.is_empty() {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                other => return Poll::Ready(other),
            };
            match frame.into_data() {
                Ok(data) => self.rest = data,
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            }
        }
        let length = self.rest.len().min(PIECE_BYTES);
        let piece = self.rest.split_to(length);
        let piece = BodyProgress::hand_out(&self.progress, piece);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        // hyper asks only before the first piece.
        self.body.size_hint()
    }
}

/// What hyper holds of a body.
#[derive(Debug)]
pub(super) struct BodyProgress {
    started: Instant,
    /// How many pieces hyper holds.
    held: AtomicUsize,
    /// When it last let go of one, or took one while it held none; in nanoseconds from `started`.
    /// Relaxed, because all of this happens in the connection's task.
    changed: AtomicU64,
}

impl BodyProgress {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            started: now,
            held: AtomicUsize::new(0),
            changed: AtomicU64::new(0),
        }
    }

    /// Since when the client has taken nothing of what it was offered; `None` if it has taken all.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        let nanos = self.changed.load(Ordering::Relaxed);
        let is_waiting = self.held.load(Ordering::Relaxed) > 0;
        is_waiting.then(|| self.started + Duration::from_nanos(nanos))
    }

    fn hand_out(progress: &Arc<Self>, bytes: Bytes) -> Bytes {
        if progress.held.fetch_add(1, Ordering::Relaxed) == 0 {
            progress.note_change();
        }
        Bytes::from_owner(HeldPiece {
            bytes,
            progress: Arc::clone(progress),
        })
    }

    fn note_change(&self) {
        let nanos = self.started.elapsed().as_nanos();
        let nanos = u64::try_from(nanos).unwrap_or(u64::MAX);
        self.changed.store(nanos, Ordering::Relaxed);
    }
}

/// A piece of a body. hyper drops it when the connection has taken its last byte.
struct HeldPiece {
    bytes: Bytes,
    progress: Arc<BodyProgress>,
}

impl AsRef<[u8]> for HeldPiece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for HeldPiece {
    fn drop(&mut self) {
        self.progress.note_change();
        self.progress.held.fetch_sub(1, Ordering::Relaxed);
    }
}

/// With the head of its frame, this fills a TLS record, which then goes out with one system call. A
/// frame of HTTP/2 holds little more, unless the client allows it.
pub(super) const PIECE_BYTES: usize = (16 << 10) - FRAME_HEAD_BYTES;

const FRAME_HEAD_BYTES: usize = 9;
