//! The side of the link that answers.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, Method, Request, Response, StatusCode, header, request::Parts};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use mjpeg_codec::multipart::{RelayId, VIA, Via};
use mjpeg_http::{
    Action, Inquiry, StreamService, StreamWatcher, Streams, WatchRefusal, WatchRequest,
};
use tower_service::Service;
use tracing::debug;

use super::{
    address::LinkNodeId,
    body::{self, BOUNDARY, Feeding},
    config::LinkConfig,
    edges::{EdgePlace, Edges},
    node::{LinkNode, LinkPlace, LinkStream},
    paths::{DEPTH, ENGINE, HOP, MAX_DEPTH, NODE, OWNER, STREAMS},
    stats::{LinkCounter, LinkServerStats},
};
use crate::name::SharedName;

/// Answers other nodes: the [fallback](mjpeg_http::Listener::with_fallback) of a listener at a port
/// of its own, whose [`Streams`] it is as well, as it has none. Clones share everything.
///
/// It does not ask who the other node is: let the listener accept none but nodes, by TLS with
/// certificates on both sides or on loopback. A stream's gate is not asked either; each node asks
/// its own gate about its own viewers. A node that reads a stream is one of its viewers otherwise:
/// it is listed, it is demand, and the stream's limits apply.
#[derive(Clone)]
pub struct LinkServer {
    shared: Arc<LinkShared>,
}

struct LinkShared {
    node: Arc<dyn LinkNode>,
    relay: RelayId,
    config: LinkConfig,
    edges: Arc<Edges>,
    misdirected: LinkCounter,
    redirected: LinkCounter,
    refused_edges: LinkCounter,
    refused: LinkCounter,
    loops: LinkCounter,
}

type LinkBody = UnsyncBoxBody<Bytes, Infallible>;

impl LinkServer {
    /// Makes the server of a node.
    pub fn new(node: Arc<dyn LinkNode>, config: LinkConfig) -> Self {
        Self::with_relay(node, config, RelayId::of_this_process())
    }

    /// Makes the server of one of several nodes in a process, each with an identity of its own.
    pub fn with_relay(node: Arc<dyn LinkNode>, config: LinkConfig, relay: RelayId) -> Self {
        Self {
            shared: Arc::new(LinkShared {
                node,
                relay,
                config,
                edges: Arc::default(),
                misdirected: LinkCounter::default(),
                redirected: LinkCounter::default(),
                refused_edges: LinkCounter::default(),
                refused: LinkCounter::default(),
                loops: LinkCounter::default(),
            }),
        }
    }

    /// Reads the counters.
    pub fn stats(&self) -> LinkServerStats {
        let shared = &self.shared;
        LinkServerStats {
            edges: shared.edges.count() as u64,
            misdirected: shared.misdirected.read(),
            redirected: shared.redirected.read(),
            refused_edges: shared.refused_edges.read(),
            refused: shared.refused.read(),
            loops: shared.loops.read(),
        }
    }
}

/// A request for a stream.
struct StreamRequested<'a> {
    stream: &'a str,
    /// It comes by way of the owner, which has too many readers.
    is_hop: bool,
    node: Option<LinkNodeId>,
    request: &'a Parts,
}

impl LinkShared {
    async fn answer(&self, request: Parts) -> Response<LinkBody> {
        let path = request.uri.path();
        if request.method != Method::GET {
            return text(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered here");
        }
        if path == ENGINE {
            return self.engine();
        }
        let Some(stream) = path
            .strip_prefix(STREAMS)
            .filter(|name| SharedName::is_one(name))
        else {
            return unknown();
        };
        if self.is_loop(&request.headers) {
            self.loops.add_one();
            return text(StatusCode::LOOP_DETECTED, "the frames would come back");
        }
        let asked = StreamRequested {
            stream,
            is_hop: request.uri.query() == Some(HOP),
            node: text_of(&request.headers, NODE).and_then(|node| node.parse().ok()),
            request: &request,
        };
        self.stream(&asked).await
    }

    fn engine(&self) -> Response<LinkBody> {
        let json = format!(r#"{{"reaches":{}}}"#, self.node.reaches_engine());
        let response = Response::builder()
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::CACHE_CONTROL, "no-store");
        built(response, Full::from(json).boxed_unsync())
    }

    fn is_loop(&self, headers: &HeaderMap) -> bool {
        let via = text_of(headers, VIA).and_then(|via| via.parse::<Via>().ok());
        via.is_some_and(|via| via.contains(self.relay) || via.is_too_long())
    }

    /// Answers a request for a stream.
    async fn stream(&self, asked: &StreamRequested<'_>) -> Response<LinkBody> {
        let stream = match self.node.place(asked.stream) {
            LinkPlace::Here(stream) => stream,
            LinkPlace::Elsewhere {
                relayed: Some(stream),
                ..
            } if asked.is_hop && stream.depth > 0 && stream.depth < MAX_DEPTH => stream,
            LinkPlace::Elsewhere { owner, .. } => return self.misdirected(&owner),
            LinkPlace::Nobody => {
                self.refused.add_one();
                return later("no node owns the stream at present");
            }
            LinkPlace::Unknown => return unknown(),
        };
        if let Some(hub) = self.hub_for(asked) {
            return self.redirect(asked, &hub);
        }
        let most = self.config.max_edges();
        let place = self.edges.take(asked.stream, asked.node.clone(), most);
        let Some(place) = place else {
            return self.crowded(asked);
        };
        let request = WatchRequest::new("cluster").without_gate();
        let inquiry = Inquiry::of_request(Action::Stream, asked.request);
        match stream.service.watch(inquiry, &request).await {
            Ok(watcher) => self.feed(asked, stream, (watcher, place)),
            Err(refusal) => {
                self.refused.add_one();
                match refusal {
                    WatchRefusal::Full(reason) => later(&reason),
                    _ => later("the stream is not to be read here at present"),
                }
            }
        }
    }

    /// Begins the answer that never ends.
    fn feed(
        &self,
        asked: &StreamRequested<'_>,
        stream: LinkStream,
        (watcher, place): (StreamWatcher, EdgePlace),
    ) -> Response<LinkBody> {
        let via = Via::through(self.relay, &stream.via());
        let (depth, epoch, consumer) = (stream.depth, stream.epoch, stream.consumer);
        let node = asked.node.as_ref().map(LinkNodeId::name);
        debug!(stream = asked.stream, node, depth, "a node reads a stream");
        let feeding = Feeding {
            node: Arc::clone(&self.node),
            relay: self.relay,
            stream: asked.stream.to_owned(),
            depth,
            epoch,
            consumer,
            watcher,
            _place: place,
        };
        let parts = body::parts(feeding).map(|part| Ok(Frame::data(part)));
        let content_type = format!("multipart/x-mixed-replace;boundary={BOUNDARY}");
        let response = Response::builder()
            .header(header::CONTENT_TYPE, content_type)
            .header(header::CACHE_CONTROL, "no-store")
            .header(VIA, via.to_string())
            .header(DEPTH, u16::from(depth));
        built(response, StreamBody::new(parts).boxed_unsync())
    }

    fn misdirected(&self, owner: &LinkNodeId) -> Response<LinkBody> {
        self.misdirected.add_one();
        let response = Response::builder()
            .status(StatusCode::MISDIRECTED_REQUEST)
            .header(OWNER, owner.to_string());
        built(response, Full::default().boxed_unsync())
    }

    /// Answers where there are too many readers already.
    fn crowded(&self, asked: &StreamRequested<'_>) -> Response<LinkBody> {
        // Behind a hub, there is no further one.
        let hub = (!asked.is_hop).then(|| {
            let edges = self.edges.of(asked.stream);
            self.node.hub(asked.stream, &edges)
        });
        let hub = hub.flatten().filter(|hub| Some(hub) != asked.node.as_ref());
        let Some(hub) = hub else {
            self.refused_edges.add_one();
            return later("as many nodes read the stream as may (max_edges)");
        };
        self.redirect(asked, &hub)
    }

    /// The node through which this one is to read the stream, if there is one.
    fn hub_for(&self, asked: &StreamRequested<'_>) -> Option<LinkNodeId> {
        let reader = asked.node.as_ref().filter(|_| !asked.is_hop)?;
        let edges = self.edges.of(asked.stream);
        let hub = self.node.hub_for(asked.stream, reader, &edges);
        hub.filter(|hub| hub != reader)
    }

    fn redirect(&self, asked: &StreamRequested<'_>, hub: &LinkNodeId) -> Response<LinkBody> {
        self.redirected.add_one();
        let (address, stream) = (hub.address(), asked.stream);
        let response = Response::builder()
            .status(StatusCode::TEMPORARY_REDIRECT)
            .header(
                header::LOCATION,
                format!("//{address}{STREAMS}{stream}?{HOP}"),
            );
        built(response, Full::default().boxed_unsync())
    }
}

fn text_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn unknown() -> Response<LinkBody> {
    text(StatusCode::NOT_FOUND, "there is no such stream")
}

fn later(reason: &str) -> Response<LinkBody> {
    let mut response = text(StatusCode::SERVICE_UNAVAILABLE, reason);
    let retry = header::HeaderValue::from_static("1");
    response.headers_mut().insert(header::RETRY_AFTER, retry);
    response
}

fn text(status: StatusCode, text: &str) -> Response<LinkBody> {
    let response = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "text/plain; charset=utf-8");
    built(response, Full::from(format!("{text}\n")).boxed_unsync())
}

fn built(response: http::response::Builder, body: LinkBody) -> Response<LinkBody> {
    response.body(body).expect("these are headers")
}

impl<B> Service<Request<B>> for LinkServer {
    type Response = Response<LinkBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<LinkBody>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let shared = Arc::clone(&self.shared);
        let (request, _) = request.into_parts();
        Box::pin(async move { Ok(shared.answer(request).await) })
    }
}

impl Streams for LinkServer {
    /// Finds none: what it answers is below its own paths.
    fn find(&self, _: &str) -> Option<StreamService> {
        None
    }
}

impl fmt::Debug for LinkServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkServer")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
