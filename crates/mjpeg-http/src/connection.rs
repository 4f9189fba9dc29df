//! One connection, up to the moment when a stream is asked for: hyper reads requests and answers them.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

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
    socket,
    stall::StallGuard,
    stats::Counters,
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
    let Wanted { head, feed } = *wanted;
    let opening = [head_bytes(&head), feed.opening().into()].concat().into();
    let viewer = Viewer {
        wire: Wire::new(stream, &config),
        feed,
        _open: open,
    };
    Some(Newcomer { viewer, opening })
}

/// A stream that was asked for: its response's head, and where the parts come from.
struct Wanted {
    head: Response<()>,
    feed: Feed,
}

/// Answers requests until the connection ends or a stream is asked for; then hands over the socket.
async fn speak_http(
    stream: TcpStream,
    peer: SocketAddr,
    service: StreamService,
    config: &HttpConfig,
) -> Option<(TcpStream, Box<Wanted>)> {
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
    let ended = loop {
        let step = std::future::poll_fn(|cx| {
            let ended = Pin::new(&mut connection).poll(cx);
            match desk.take() {
                Some(wanted) => std::task::Poll::Ready(Err(wanted)),
                None => ended.map(Ok),
            }
        });
        tokio::select! {
            step = step => match step {
                Ok(ended) => break ended,
                Err(wanted) => {
                    let io = connection.into_parts().io.into_inner();
                    return Some((io.into_inner(), wanted));
                }
            },
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

/// Where the service leaves what it cannot answer through hyper.
#[derive(Default)]
struct Desk {
    /// A request has come on this connection.
    asked: AtomicBool,
    wanted: Mutex<Option<Box<Wanted>>>,
}

impl Desk {
    fn leave(&self, wanted: Wanted) {
        *self.lock() = Some(Box::new(wanted));
    }

    fn take(&self) -> Option<Box<Wanted>> {
        self.lock().take()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Box<Wanted>>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
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
                self.desk.leave(Wanted { head, feed });
                // The connection is taken from hyper before it asks again.
                ResponseFuture::never()
            }
            // hyper may still hold bytes of the response before, so it has to send this one too.
            Answer::Stream(head, feed) => {
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
    fn new(counters: Arc<Counters>) -> Self {
        counters.connections.up();
        Self(counters)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connections.down();
    }
}
