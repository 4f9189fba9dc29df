//! A stream as a service, for hyper and tower.

use std::{
    convert::Infallible,
    fmt,
    future::{Future, ready},
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use mjpeg_fanout::Consumer;
use tokio::sync::watch;

use crate::{
    HttpConfig, MjpegBody, ResponseBody, Stats, ViewerInfo, asked::Asked, feed::Feed, respond,
    seats::Seat, snapshot, stats::Counters, viewers::Viewers,
};

/// Answers requests for one stream: a hyper and a tower service, cheap to clone. See the [table of answers](crate#what-a-viewer-gets).
///
/// Mount it in a server of your own, or give it to a [`Listener`](crate::Listener).
#[derive(Clone, Debug)]
pub struct StreamService {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    consumer: Consumer,
    config: HttpConfig,
    counters: Arc<Counters>,
    viewers: Arc<Viewers>,
    closing: watch::Sender<bool>,
}

/// How a request is answered.
pub(crate) enum Answer {
    /// With a stream.
    Stream(Response<()>, Feed),
    /// With a picture, as soon as there is one.
    Later(ResponseFuture),
    Now(Response<ResponseBody>),
}

impl StreamService {
    /// Makes a service for the stream behind a consumer. The consumer itself takes no frame: each viewer gets a clone.
    pub fn new(consumer: Consumer, config: HttpConfig) -> Self {
        let shared = Shared {
            consumer,
            config,
            counters: Arc::default(),
            viewers: Arc::default(),
            closing: watch::Sender::new(false),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Ends all responses, present and future, each after the part it is at.
    ///
    /// For servers that wait for their responses when they shut down; a stream would never end by itself.
    pub fn close(&self) {
        self.shared.closing.send_replace(true);
    }

    /// What has been counted, over all clones.
    pub fn stats(&self) -> Stats {
        self.shared.counters.read()
    }

    /// Who is watching now, over all clones, in the order they came.
    pub fn viewers(&self) -> Vec<ViewerInfo> {
        self.shared.viewers.list()
    }

    pub(crate) fn counters(&self) -> &Arc<Counters> {
        &self.shared.counters
    }

    pub(crate) fn closing(&self) -> Closing {
        Closing(self.shared.closing.subscribe())
    }

    /// Decides about a request that came from `peer`.
    pub(crate) fn answer<B>(&self, request: &Request<B>, peer: Option<SocketAddr>) -> Answer {
        let Shared {
            consumer,
            config,
            counters,
            viewers,
            ..
        } = &*self.shared;
        let asked = Asked::read(request.method(), request.uri(), request.headers(), config);
        let version = request.version();
        let response = match asked {
            Asked::Stream(wish) => {
                match Seat::take(viewers, counters, consumer, peer, &wish, config) {
                    Ok(seat) => {
                        let head = respond::stream_head(version, &wish);
                        return Answer::Stream(head, Feed::new(seat, &wish, config));
                    }
                    Err(full) => respond::full(full),
                }
            }
            Asked::StreamHead(wish) => {
                respond::stream_head(version, &wish).map(|()| ResponseBody::whole(""))
            }
            Asked::Snapshot(wish) => {
                let (consumer, config) = (consumer.clone(), config.clone());
                let counters = Arc::clone(counters);
                return Answer::Later(ResponseFuture(Box::pin(async move {
                    let picture = snapshot::answer(consumer, wish, &config, counters).await;
                    Ok(respond::open_to_all(picture))
                })));
            }
            #[cfg(feature = "compat")]
            Asked::State => crate::state::answer(consumer, viewers),
            Asked::Preflight => respond::preflight(),
            Asked::NotAllowed => respond::not_allowed(),
            Asked::NoControl => respond::no_control(),
            Asked::Nothing => respond::nothing_here(),
        };
        Answer::Now(respond::open_to_all(response))
    }

    /// A stream as the body of a response, for servers that send it themselves.
    pub(crate) fn body(&self, feed: Feed) -> ResponseBody {
        MjpegBody::of(feed, self.shared.consumer.clone(), Some(self.closing())).into()
    }

    pub(crate) fn consumer(&self) -> &Consumer {
        &self.shared.consumer
    }

    fn respond<B>(&self, request: &Request<B>) -> ResponseFuture {
        match self.answer(request, None) {
            Answer::Stream(head, feed) => ResponseFuture::ready(head.map(|()| self.body(feed))),
            Answer::Later(response) => response,
            Answer::Now(response) => ResponseFuture::ready(response),
        }
    }
}

/// The response of a [`StreamService`], which for a picture may be a while in coming.
pub struct ResponseFuture(Pin<Box<dyn Future<Output = Responded> + Send>>);

type Responded = Result<Response<ResponseBody>, Infallible>;

impl ResponseFuture {
    pub(crate) fn ready(response: Response<ResponseBody>) -> Self {
        Self(Box::pin(ready(Ok(response))))
    }

    /// One that never comes.
    pub(crate) fn never() -> Self {
        Self(Box::pin(std::future::pending()))
    }
}

impl Future for ResponseFuture {
    type Output = Responded;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Responded> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for ResponseFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

impl<B> hyper::service::Service<Request<B>> for StreamService {
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn call(&self, request: Request<B>) -> Self::Future {
        self.respond(&request)
    }
}

impl<B> tower_service::Service<Request<B>> for StreamService {
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.respond(&request)
    }
}

/// Tells when [`StreamService::close`] is called.
pub(crate) struct Closing(watch::Receiver<bool>);

impl Closing {
    /// Waits for the close; for ever if the service went without one.
    pub(crate) async fn wanted(&mut self) {
        // Not a match on the result itself: that would hold the watch's lock across the wait.
        let closed = self.0.wait_for(|closing| *closing).await.is_ok();
        if !closed {
            // The service is gone, which must not end a response that its server still sends.
            std::future::pending::<()>().await;
        }
    }
}
