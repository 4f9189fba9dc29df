//! A stream as a service, for hyper and tower.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use mjpeg_fanout::Consumer;
use tokio::sync::watch;

use crate::{HttpConfig, MjpegBody, ResponseBody, Stats, respond::respond, stats::Counters};

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
    closing: watch::Sender<bool>,
}

impl StreamService {
    /// Makes a service for the stream behind a consumer. The consumer itself takes no frame: each viewer gets a clone.
    pub fn new(consumer: Consumer, config: HttpConfig) -> Self {
        let shared = Shared {
            consumer,
            config,
            counters: Arc::default(),
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

    pub(crate) fn counters(&self) -> &Arc<Counters> {
        &self.shared.counters
    }

    pub(crate) fn closing(&self) -> Closing {
        Closing(self.shared.closing.subscribe())
    }

    fn answer<B>(&self, request: &Request<B>) -> Response<ResponseBody> {
        let Shared {
            consumer,
            config,
            counters,
            closing,
        } = &*self.shared;
        respond(
            request.method(),
            request.uri().path(),
            request.version(),
            || {
                MjpegBody::closable(
                    consumer.clone(),
                    config,
                    Arc::clone(counters),
                    Some(Closing(closing.subscribe())),
                )
            },
        )
    }
}

impl<B> hyper::service::Service<Request<B>> for StreamService {
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn call(&self, request: Request<B>) -> Self::Future {
        ready(Ok(self.answer(&request)))
    }
}

impl<B> tower_service::Service<Request<B>> for StreamService {
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ready(Ok(self.answer(&request)))
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
