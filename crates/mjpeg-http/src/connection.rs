//! One connection, up to the moment when a stream is asked for: hyper reads requests and answers them.

use std::{
    convert::Infallible,
    future::poll_fn,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use bytes::Bytes;
use futures_util::future::OptionFuture;
use http::{Request, Response};
use hyper::{server::conn::http1, service::Service};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tracing::debug;

use crate::{
    HttpConfig, ResponseBody, StreamService,
    feed::Feed,
    service::{Answer, ResponseFuture},
    shard::{Newcomer, Viewer},
    socket::{self, Transport},
    stall::StallGuard,
    stats::Counters,
    viewers::Entry,
    wire::{Wire, head_bytes},
};

/// Speaks HTTP on a connection until it ends; or until a stream is asked for, and gives the viewer.
pub(crate) async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    service: StreamService,
    config: Arc<HttpConfig>,
) -> Option<Newcomer> {
    let open = Open::new(Arc::clone(service.counters()));
    socket::tune(&stream, &config);
    let (stream, wanted) = speak_http(stream, peer, service, &config).await?;
    let (opening, feed) = wanted.open();
    let viewer = Viewer {
        wire: Wire::new(stream, &config),
        feed,
        _open: open,
    };
    Some(Newcomer { viewer, opening })
}

/// A stream that was asked for: its response's head, and where the parts come from.
pub(crate) struct Wanted {
    head: Response<()>,
    feed: Feed,
}

impl Wanted {
    /// What goes before the first part, and where the parts come from.
    pub(crate) fn open(self) -> (Bytes, Feed) {
        let opening = [head_bytes(&self.head), self.feed.opening().into()];
        (opening.concat().into(), self.feed)
    }
}

/// What came of a while of HTTP.
enum Step {
    Ended(hyper::Result<()>),
    /// A stream was asked for, which is not hyper's to send.
    Wanted(Box<Wanted>),
    /// A stream was asked for, which hyper sends.
    Body(Arc<Entry>),
}

/// Answers requests until the connection ends or a stream is asked for; then hands over the socket.
pub(crate) async fn speak_http<S: Transport>(
    stream: S,
    peer: SocketAddr,
    service: StreamService,
    config: &HttpConfig,
) -> Option<(S, Box<Wanted>)> {
    let counters = Arc::clone(service.counters());
    let mut closing = service.closing();
    let desk = Arc::new(Desk::default());
    let io = StallGuard::new(stream, config.write_stall, Arc::clone(&counters));
    let front = Front {
        service,
        peer,
        desk: Arc::clone(&desk),
    };
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(config.header_timeout)
        .max_buf_size(config.max_header_bytes)
        .serve_connection(TokioIo::new(io), front);
    let mut is_closing = false;
    let mut has_to_go = pin!(OptionFuture::from(None));
    let ended = loop {
        let step = poll_fn(|cx| {
            let ended = Pin::new(&mut connection).poll(cx);
            match (ended, desk.take()) {
                (Poll::Ready(ended), None | Some(Step::Body(_))) => Poll::Ready(Step::Ended(ended)),
                (_, Some(step)) => Poll::Ready(step),
                (Poll::Pending, None) => Poll::Pending,
            }
        });
        tokio::select! {
            step = step => match step {
                Step::Ended(ended) => break ended,
                Step::Wanted(wanted) => {
                    let io = connection.into_parts().io.into_inner();
                    return Some((io.into_inner(), wanted));
                }
                Step::Body(entry) => {
                    let most = config.max_frame_send_time;
                    has_to_go.set(Some(async move { entry.has_to_go(most).await }).into());
                }
            },
            Some(cut) = &mut has_to_go => {
                cut.count(&counters);
                let io = connection.into_parts().io.into_inner();
                io.into_inner().reset_on_drop();
                return None;
            }
            () = closing.wanted(), if !is_closing => {
                if !desk.asked.load(Ordering::Relaxed) {
                    // Browsers open connections ahead of need; there is no response to finish on this one.
                    return None;
                }
                is_closing = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
        }
    };
    if let Err(error) = ended {
        if error.is_timeout() {
            counters.header_timeouts.add_one();
        } else if error.is_parse() {
            counters.bad_requests.add_one();
        }
        debug!(%peer, %error, "connection ended");
    }
    None
}

/// Where the service leaves what hyper cannot do.
#[derive(Default)]
struct Desk {
    /// A request has come on this connection.
    asked: AtomicBool,
    left: Mutex<Option<Step>>,
}

impl Desk {
    fn leave(&self, step: Step) {
        *self.lock() = Some(step);
    }

    fn take(&self) -> Option<Step> {
        self.lock().take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Step>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The service as this connection's hyper sees it.
struct Front {
    service: StreamService,
    peer: SocketAddr,
    desk: Arc<Desk>,
}

impl<B> Service<Request<B>> for Front {
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn call(&self, request: Request<B>) -> ResponseFuture {
        let is_first = !self.desk.asked.swap(true, Ordering::Relaxed);
        match self.service.answer(&request, Some(self.peer)) {
            Answer::Stream(head, feed) if is_first => {
                let wanted = Wanted { head, feed };
                self.desk.leave(Step::Wanted(Box::new(wanted)));
                // The connection is taken from hyper before it asks again.
                ResponseFuture::never()
            }
            // hyper may still hold bytes of the response before, so it has to send this one too.
            Answer::Stream(head, feed) => {
                self.desk.leave(Step::Body(feed.seat().entry()));
                ResponseFuture::ready(head.map(|()| self.service.body(feed)))
            }
            Answer::Later(response) => response,
            Answer::Now(response) => ResponseFuture::ready(response),
        }
    }
}

/// Counts a connection for as long as it lives, however it ends.
pub(crate) struct Open(Arc<Counters>);

impl Open {
    pub(crate) fn new(counters: Arc<Counters>) -> Self {
        counters.connections.up();
        Self(counters)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connections.down();
    }
}
