//! One HTTP/2 connection: hyper speaks the protocol, and every request is answered in the
//! connection's own task.
//!
//! Streams are sent as response bodies here, because several share the connection. Each has one
//! part on its way at a time, so that none queues behind a slow viewer, and is cut by itself: the
//! others go on.

use std::{
    error::Error as _,
    future::{Future, poll_fn},
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll},
    time::Duration,
};

use futures_util::stream::{FuturesUnordered, StreamExt};
use hyper::server::conn::http2;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::time::{Instant, Sleep, sleep_until};
use tracing::debug;

use crate::{
    closing::Closing,
    server::{
        context::Context,
        guarded::Guarded,
        http2::{
            body::PIECE_BYTES,
            requests::{Requests, RequestsExecutor, RunningRequest},
            service::Http2Service,
        },
    },
    service::shared::Caller,
    stats::ListenerCounters,
};

mod body;
mod bounds;
mod requests;
mod service;

/// A connection under hyper.
pub(crate) struct Http2Connection {
    hyper: http2::Connection<TokioIo<Guarded>, Http2Service, RequestsExecutor>,
    requests: Arc<Requests>,
    running: FuturesUnordered<RunningRequest>,
    counters: Arc<ListenerCounters>,
    caller: Caller,
    closing: Closing,
    cutting: Closing,
    /// How long it may be without a request.
    idle_limit: Duration,
    /// How long requests other than of viewers may take when the listener has ended.
    grace: Duration,
    /// When the last request ended; `None` while one is running.
    idle_since: Option<Instant>,
    end: End,
    timer: Pin<Box<Sleep>>,
}

/// Whether the connection is ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It takes requests.
    No,
    /// The client was told at this time that no more requests are taken.
    Announced(Instant),
    /// And requests other than of viewers were cut.
    Cut(Instant),
}

/// Why the connection's task stops polling it.
enum Stopped {
    Ended,
    /// It has a viewer, and viewers do not end with the listener.
    HasViewer,
}

impl Http2Connection {
    pub(crate) fn new(io: Guarded, caller: Caller, context: Arc<Context>) -> Self {
        let (closing, cutting) = (context.closer.closing(), context.cutter.closing());
        let counters = Arc::clone(&context.listener.counters);
        let config = context.listener.config();
        let (idle_limit, grace) = (config.header_timeout(), config.grace());
        let header_bytes = u32::try_from(config.max_header_bytes()).unwrap_or(u32::MAX);
        let write_stall = config.write_stall();
        let requests = Arc::new(Requests::default());
        let executor = RequestsExecutor(Arc::clone(&requests));
        let mut http2 = http2::Builder::new(executor);
        http2
            .timer(TokioTimer::new())
            .max_concurrent_streams(config.max_http2_streams())
            // Bounds what is put together from CONTINUATION frames as well.
            .max_header_list_size(header_bytes)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_pending_accept_reset_streams(MAX_RESETS)
            .max_local_error_reset_streams(MAX_ERROR_RESETS)
            .max_send_buf_size(SEND_BUFFER_BYTES);
        let service =
            Http2Service::new(context, caller.clone(), Arc::clone(&requests), write_stall);
        Self {
            hyper: http2.serve_connection(TokioIo::new(io), service),
            requests,
            running: FuturesUnordered::new(),
            counters,
            caller,
            closing,
            cutting,
            idle_limit,
            grace,
            idle_since: None,
            end: End::No,
            timer: Box::pin(sleep_until(Instant::now())),
        }
    }

    /// Answers requests until the connection ends. If one of them becomes a viewer, this returns,
    /// and a task of its own goes on: it ends with the last viewer once the listener has ended, and
    /// viewers belong to their streams.
    pub(crate) async fn run(mut self) {
        match self.serve(true).await {
            Stopped::Ended => {}
            Stopped::HasViewer => {
                tokio::spawn(async move {
                    self.serve(false).await;
                });
            }
        }
    }

    async fn serve(&mut self, stops_for_viewer: bool) -> Stopped {
        let (mut closing, mut cutting) = (self.closing.clone(), self.cutting.clone());
        loop {
            tokio::select! {
                stopped = poll_fn(|cx| self.poll_step(cx, stops_for_viewer)) => return stopped,
                () = closing.wait(), if self.end == End::No => self.announce_end(),
                // The listener was dropped.
                () = cutting.wait(), if self.end == End::No => self.announce_end(),
            }
        }
    }

    /// Tells the client that no more requests are taken.
    fn announce_end(&mut self) {
        self.end = End::Announced(Instant::now());
        // The listener's streams must not live on because of this connection.
        self.requests.release();
        Pin::new(&mut self.hyper).graceful_shutdown();
    }

    fn poll_step(&mut self, cx: &mut TaskContext<'_>, stops_for_viewer: bool) -> Poll<Stopped> {
        loop {
            // First what the requests have to send, then hyper, which sends it.
            while let Poll::Ready(Some(())) = self.running.poll_next_unpin(cx) {}
            if let Poll::Ready(outcome) = Pin::new(&mut self.hyper).poll(cx) {
                self.record(outcome);
                return Poll::Ready(Stopped::Ended);
            }
            let new = self.requests.take_new();
            if new.is_empty() {
                break;
            }
            self.running.extend(new);
        }
        if stops_for_viewer && self.requests.has_viewer() {
            return Poll::Ready(Stopped::HasViewer);
        }
        self.poll_deadlines(cx)
    }

    /// Acts on the times at which something is due.
    fn poll_deadlines(&mut self, cx: &mut TaskContext<'_>) -> Poll<Stopped> {
        let now = Instant::now();
        if self.running.is_empty() {
            self.idle_since.get_or_insert(now);
        } else {
            self.idle_since = None;
        }
        loop {
            let due = match (self.idle_since, self.end) {
                (Some(since), End::No) => since + self.idle_limit,
                // hyper waits for an acknowledgement, which may never come.
                (Some(since), End::Announced(at) | End::Cut(at)) => since.max(at) + LINGER,
                (None, End::Announced(at)) => at + self.grace,
                (None, End::No | End::Cut(_)) => return Poll::Pending,
            };
            if self.timer.deadline() != due {
                self.timer.as_mut().reset(due);
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            match (self.idle_since, self.end) {
                (Some(_), End::No) => {
                    if !self.requests.had_request() {
                        self.counters.header_timeouts.add_one();
                    }
                    self.announce_end();
                    // hyper has something to write now.
                    cx.waker().wake_by_ref();
                }
                (Some(_), End::Announced(_) | End::Cut(_)) => return Poll::Ready(Stopped::Ended),
                (None, _) => {
                    self.end = End::Cut(now);
                    self.requests.cut_others();
                }
            }
        }
    }

    fn record(&self, outcome: hyper::Result<()>) {
        let Err(error) = outcome else {
            return;
        };
        let cause = error.source().and_then(|cause| cause.downcast_ref());
        if cause.is_some_and(h2::Error::is_library) {
            self.counters.bad_requests.add_one();
        }
        let Caller { listener, peer, .. } = &self.caller;
        let peer = peer.unwrap_or_default();
        debug!(listener = listener.as_deref(), %peer, %error, "connection ended");
    }
}

impl Drop for Http2Connection {
    fn drop(&mut self) {
        // hyper's side of each request goes first: what it still holds of their bodies is freed
        // with the connection.
        drop(mem::take(&mut self.running));
    }
}

/// How many bytes of a request's body a client may send ahead. HTTP's own default.
const STREAM_WINDOW_BYTES: u32 = 65_535;

/// How many bytes of all bodies together a client may send ahead on a connection.
const CONNECTION_WINDOW_BYTES: u32 = 256 << 10;

/// How many requests a client may cancel before they were looked at (CVE-2023-44487).
const MAX_RESETS: usize = 20;

/// How many requests of a connection may end because of a client's errors (CVE-2025-8671). More,
/// because browsers keep connections for days.
const MAX_ERROR_RESETS: usize = 1024;

/// How many bytes of one response hyper may hold. Of a stream, they are parts that all viewers
/// share; a part of usual size is handed over in one go.
const SEND_BUFFER_BYTES: usize = 8 * PIECE_BYTES;

/// How long a connection without requests may take to end once its end was announced.
const LINGER: Duration = Duration::from_secs(1);
