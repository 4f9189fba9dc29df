//! One connection, until a stream is requested: hyper reads requests and answers them.

use std::{
    convert::Infallible,
    future::{Future, pending, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll},
};

use http::{Request, Response};
use hyper::{
    body::Incoming,
    server::conn::http1::{self, UpgradeableConnection},
    service::Service,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    sync::oneshot,
    time::{Instant, timeout},
};
use tracing::debug;

#[cfg(feature = "http2")]
use crate::server::http2::Http2Connection;
use crate::{
    closing::Closing,
    config::listener::ListenerConfig,
    peer::Peer,
    server::{
        context::{Answered, Context},
        detach::Detach,
        fallback::ListenerBody,
        guarded::Guarded,
        handoff::{HandedOver, Handoff},
        outgoing::Outgoing,
    },
    service::{
        StreamService,
        shared::{Answer, Caller},
    },
    shards::{viewer::NewViewer, viewer_socket::ViewerSocket},
    stats::{CountedConnection, ListenerCounters},
    transport::Transport,
};

/// Speaks HTTP on a connection until it ends or a stream is requested. Hands the viewer over to
/// that stream.
pub(crate) async fn serve(transport: Transport, peer: Peer, context: Arc<Context>) {
    let counters = Arc::clone(&context.listener.counters);
    let open = CountedConnection::new(Arc::clone(&counters));
    let config = context.listener.config();
    transport.tune(&config);
    let Some(transport) = wrapped(transport, peer, &config, &context).await else {
        return;
    };
    let (gone, is_gone) = oneshot::channel();
    let caller = Caller {
        peer: Some(peer),
        listener: Some(config.shared_name()),
        tls: transport.tls().cloned(),
    };
    #[cfg(feature = "http2")]
    let is_http2 = transport.tls().is_some_and(|tls| tls.is_http2);
    let guarded = Guarded::new(transport, (open, gone), config.write_stall(), counters);
    #[cfg(feature = "http2")]
    if is_http2 {
        drop(config);
        return Http2Connection::new(guarded, caller, context).run().await;
    }
    let detach = context.fallback.is_some().then(Detach::new);
    let detaching = detach.as_ref().map(Detach::detaching);
    let connection = HttpConnection::new(guarded, caller, &config, (context, detach));
    // Not kept for as long as the connection lives.
    drop(config);
    match connection.run().await {
        Some((transport, open, stream)) => {
            let opening = stream.opening();
            stream.service.attach(NewViewer {
                socket: ViewerSocket::new(transport),
                feed: *stream.feed,
                open,
                opening,
            });
        }
        // A fallback service may have upgraded the connection. It has ended when that service drops
        // it, or is no longer ours when that service keeps it.
        None => {
            let detached = async {
                match detaching {
                    Some(mut detaching) => detaching.wait().await,
                    None => pending().await,
                }
            };
            tokio::select! {
                _ = is_gone => {}
                () = detached => {}
            }
        }
    }
}

/// Wraps a connection if the listener has a wrap; `None` if that fails.
async fn wrapped(
    transport: Transport,
    peer: Peer,
    config: &ListenerConfig,
    context: &Context,
) -> Option<Transport> {
    let Some(wrap) = &context.wrap else {
        return Some(transport);
    };
    let wrapping = timeout(config.header_timeout(), wrap.wrap(transport));
    let mut handshake = context.handshakes.begin(config.max_handshakes());
    let mut closing = context.closer.closing();
    tokio::select! {
        wrapped = wrapping => match wrapped {
            Ok(Ok(transport)) => Some(transport),
            Ok(Err(error)) => {
                context.listener.counters.handshake_errors.add_one();
                let listener = config.log_name();
                debug!(listener, %peer, %error, "connection could not be wrapped");
                None
            }
            Err(_) => {
                context.listener.counters.handshake_timeouts.add_one();
                None
            }
        },
        () = handshake.displaced() => {
            context.listener.counters.handshakes_displaced.add_one();
            None
        }
        () = closing.wait() => None,
    }
}

/// A connection under hyper.
struct HttpConnection {
    hyper: UpgradeableConnection<TokioIo<Guarded>, ConnectionService>,
    handoff: Arc<Handoff>,
    outgoing: Outgoing,
    closing: Closing,
    counters: Arc<ListenerCounters>,
    caller: Caller,
}

/// What polling hyper led to.
enum HyperOutcome {
    Ended(hyper::Result<()>),
    /// A stream was requested, and every answer before it has been flushed.
    Stream(Box<HandedOver>),
}

impl HttpConnection {
    fn new(
        mut io: Guarded,
        caller: Caller,
        config: &ListenerConfig,
        (context, detach): (Arc<Context>, Option<Detach>),
    ) -> Self {
        if let Some(detach) = &detach {
            io = io.cut_at(context.cutter.closing(), detach.clone());
        }
        let (outgoing, handoff) = (io.outgoing(), Arc::new(Handoff::new(io.outgoing())));
        let closing = context.closer.closing();
        let counters = Arc::clone(&context.listener.counters);
        let mut http1 = http1::Builder::new();
        http1
            .timer(TokioTimer::new())
            .header_read_timeout(config.header_timeout())
            .max_buf_size(config.max_header_bytes());
        let service = ConnectionService {
            context,
            caller: caller.clone(),
            handoff: Arc::clone(&handoff),
            detach,
        };
        Self {
            hyper: http1
                .serve_connection(TokioIo::new(io), service)
                .with_upgrades(),
            handoff,
            outgoing,
            closing,
            counters,
            caller,
        }
    }

    /// Answers requests until the connection ends or a stream is requested.
    async fn run(mut self) -> Option<(Transport, CountedConnection, Box<HandedOver>)> {
        let mut closing = self.closing.clone();
        let mut is_closing = false;
        loop {
            let step = tokio::select! {
                step = poll_fn(|cx| self.poll_step(cx)) => step,
                () = closing.wait(), if !is_closing => {
                    if !self.handoff.had_request() {
                        // Browsers open connections ahead of need. This one has no answer to
                        // finish.
                        return None;
                    }
                    is_closing = true;
                    Pin::new(&mut self.hyper).graceful_shutdown();
                    continue;
                }
            };
            return match step {
                HyperOutcome::Stream(stream) => {
                    // What the client sent after its request is dropped with hyper's buffer: a
                    // stream ends with its connection, so later requests cannot be answered.
                    let parts = self.hyper.into_parts()?;
                    let (transport, open) = parts.io.into_inner().into_parts();
                    Some((transport, open, stream))
                }
                HyperOutcome::Ended(outcome) => {
                    self.record(outcome);
                    None
                }
            };
        }
    }

    fn poll_step(&mut self, cx: &mut TaskContext<'_>) -> Poll<HyperOutcome> {
        let outcome = Pin::new(&mut self.hyper).poll(cx);
        if self.outgoing.is_flushed()
            && let Some(stream) = self.handoff.take()
        {
            return Poll::Ready(HyperOutcome::Stream(stream));
        }
        outcome.map(HyperOutcome::Ended)
    }

    fn record(&self, outcome: hyper::Result<()>) {
        let Err(error) = outcome else {
            return;
        };
        if error.is_timeout() {
            self.counters.header_timeouts.add_one();
        } else if error.is_parse() {
            self.counters.bad_requests.add_one();
        }
        let Caller { listener, peer, .. } = &self.caller;
        let peer = peer.unwrap_or_default();
        debug!(listener = listener.as_deref(), %peer, %error, "connection ended");
    }
}

/// Routes a connection's requests.
struct ConnectionService {
    context: Arc<Context>,
    caller: Caller,
    handoff: Arc<Handoff>,
    /// If there is a fallback service.
    detach: Option<Detach>,
}

impl Service<Request<Incoming>> for ConnectionService {
    type Response = Response<ListenerBody>;
    type Error = Infallible;
    type Future = Answered;

    fn call(&self, mut request: Request<Incoming>) -> Answered {
        self.handoff.note_request();
        if let Some(detach) = &self.detach {
            request.extensions_mut().insert(detach.clone());
        }
        let handoff = Arc::clone(&self.handoff);
        self.context
            .respond(self.caller.clone(), request, |service, request, asked| {
                Box::pin(async move { Ok(answer(service, request, asked, handoff).await) })
            })
    }
}

/// Answers a request for a stream, or leaves the stream for the connection to take over.
async fn answer(
    service: StreamService,
    request: Request<Incoming>,
    (path, caller): (String, Caller),
    handoff: Arc<Handoff>,
) -> Response<ListenerBody> {
    let answering = handoff.outgoing().answering();
    let (request, _) = request.into_parts();
    let headers = request.headers.clone();
    match service.shared().answer(request, &path, caller).await {
        Answer::Stream(head, feed) => {
            handoff.leave(HandedOver {
                service,
                head,
                feed,
            });
            // The connection is taken from hyper before this future is polled again.
            pending().await
        }
        answer => {
            let response = service.shared().respond(answer, &headers).await;
            let state = match response.body().answer() {
                Some(state) => Arc::clone(state),
                None => service.shared().unlimited_answer(),
            };
            state.begin(Instant::now());
            handoff.outgoing().bound(state);
            response.map(|body| ListenerBody::of_stream(body, answering))
        }
    }
}
