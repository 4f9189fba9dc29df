//! A stream as a service, for hyper and tower, and for listeners.

use std::{
    convert::Infallible,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures_util::stream::{self, StreamExt};
use http::{Request, Response};
use mjpeg_fanout::Consumer;
use tokio::{sync::watch, task::coop::consume_budget, time::Instant};

use crate::{
    closing::Closer,
    config::stream::StreamConfig,
    gate::{Access, Gate, Inquiry, SharedGate},
    peer::Peer,
    response::{body::ResponseBody, future::ResponseFuture},
    service::shared::{Caller, ServiceShared},
    shards::{Shards, viewer::NewViewer},
    stats::StreamStats,
    viewers::{
        table::ViewerTable,
        viewer::{ViewerInfo, ViewerState},
    },
    watcher::{StreamWatcher, WatchRefusal, WatchRequest},
};

mod access;
#[cfg(feature = "replay")]
mod replay;
pub(crate) mod shared;
mod watching;

/// Answers requests for one stream: a hyper and a tower service, cheap to clone. See the
/// [table of answers](crate#what-a-viewer-gets).
///
/// Mount it in a server of your own, or give it to one or more [`Listener`](crate::Listener)s. The
/// viewers that come through listeners are served by tasks that belong to the service: one for each
/// worker thread of the runtime, however many listeners there are. [`drain`](Self::drain) ends
/// them; dropping the last clone cuts them.
#[derive(Clone, Debug)]
pub struct StreamService {
    shared: Arc<ServiceShared>,
}

/// What [`StreamService::drain`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drained {
    /// Viewers whose responses had not ended within the grace and were cut.
    pub cut: usize,
}

/// What [`StreamService::recheck`] found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rechecked {
    /// Viewers that were ended.
    pub ended: usize,
    /// Viewers about whom the gate did not decide, or not in time; they stay.
    pub undecided: usize,
}

impl StreamService {
    /// Makes a service for the stream behind a consumer. The consumer itself takes no frame: each
    /// viewer gets a clone.
    pub fn new(consumer: Consumer, config: StreamConfig) -> Self {
        Self::builder(consumer).config(config).build()
    }

    /// Begins to build a service, for one with a name or a gate.
    pub fn builder(consumer: Consumer) -> StreamServiceBuilder {
        StreamServiceBuilder {
            consumer,
            config: StreamConfig::default(),
            name: None,
            gate: None,
        }
    }

    /// Returns the stream's name, which a [`Gate`] sees; `None` if it has none.
    pub fn name(&self) -> Option<&str> {
        self.shared.name.as_deref()
    }

    /// Returns the limits and times that apply now.
    pub fn config(&self) -> Arc<StreamConfig> {
        self.shared.config()
    }

    /// Replaces the limits and times. All clones see it.
    ///
    /// Viewers keep their responses. From their next part on, the new keepalive, write stall, frame
    /// send time, bytes in flight, rates and durations apply to them; a shorter duration may end a
    /// response. The limits on viewers (nobody is cut), the snapshot wait, CORS and
    /// `multipart/mixed` for WebKit apply to new requests only.
    pub fn configure(&self, config: StreamConfig) {
        self.shared.config.send_replace(Arc::new(config));
    }

    /// Ends all responses, present and future, each after its current part.
    ///
    /// For servers that wait for their responses when they shut down: a stream never ends by
    /// itself.
    pub fn close(&self) {
        self.shared.closer.close();
    }

    /// [Closes](Self::close) the service and waits until the viewers that came through listeners,
    /// and [watchers](Self::watch), have ended, at most this long; then cuts the rest. When it
    /// returns, the service's tasks have ended.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cuts the viewers that have not ended yet.
    pub async fn drain(&self, grace: Duration) -> Drained {
        self.close();
        let cut = self.shared.shards.drain(grace);
        let cut = async {
            let (cut, cut_watchers) = tokio::join!(cut, self.shared.drain_watchers(grace));
            cut + cut_watchers
        };
        #[cfg(feature = "http2")]
        let cut = async {
            let (cut, cut_http2) = tokio::join!(cut, self.shared.drain_http2(grace));
            cut + cut_http2
        };
        Drained { cut: cut.await }
    }

    /// Admits a viewer that another service sends frames to, in a protocol of its own. It passes
    /// the gate and the limits, is listed and counted, can be kicked, and is rechecked as all
    /// viewers.
    ///
    /// `inquiry` says who asks; its action and stream are set here. See [`StreamWatcher`].
    ///
    /// # Errors
    ///
    /// [`WatchRefusal`] if the gate or a limit refuses the viewer, or the service is closed.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nobody has been admitted then.
    pub async fn watch(
        &self,
        inquiry: Inquiry,
        request: &WatchRequest,
    ) -> Result<StreamWatcher, WatchRefusal> {
        self.shared.watch(inquiry, request).await
    }

    /// Asks the gate again about every viewer and ends those that it no longer admits. Does nothing
    /// without a gate.
    ///
    /// A viewer stays if the gate [does not decide](Access::Undecided) about it, or not
    /// [in time](StreamConfig::with_gate_timeout): an outage of what the gate depends on must not
    /// end every stream.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: viewers that the gate was not asked about stay.
    pub async fn recheck(&self) -> Rechecked {
        self.shared.rechecks.fetch_add(1, Ordering::AcqRel);
        let recheck = async |viewer: Arc<ViewerState>| {
            let mut rechecked = Rechecked::default();
            let Some(inquiry) = viewer.inquiry() else {
                return rechecked;
            };
            match self.shared.ask_gate(&inquiry).await {
                Some(Access::Allow(grant)) => viewer.set_granted_until(grant.until),
                Some(Access::Deny(_)) => rechecked.ended += usize::from(viewer.deny()),
                Some(Access::Undecided) | None => rechecked.undecided += 1,
            }
            // Gates seldom have to wait, and there may be thousands of viewers.
            consume_budget().await;
            rechecked
        };
        let all = stream::iter(self.shared.viewers.all())
            .map(recheck)
            .buffer_unordered(RECHECKED_AT_ONCE);
        let sum = async |sum: Rechecked, one: Rechecked| Rechecked {
            ended: sum.ended + one.ended,
            undecided: sum.undecided + one.undecided,
        };
        let rechecked = all.fold(Rechecked::default(), sum).await;
        self.shared.counters.kicked.add(rechecked.ended as u64);
        rechecked
    }

    /// Ends the response of the viewer with this [`ViewerInfo::id`], even in the middle of a part.
    /// Returns whether there is such a viewer.
    ///
    /// If it has a [`ViewerInfo::key`], requests with this key are answered `410` for a minute, so
    /// that a page or a program that connects again by itself learns of it. At most 64 keys are
    /// kept.
    pub fn kick(&self, id: u64) -> bool {
        let viewers = self.shared.viewers.all();
        let Some(viewer) = viewers.iter().find(|viewer| viewer.id == id) else {
            return false;
        };
        if viewer.revoke() {
            self.shared.counters.kicked.add_one();
            self.shared
                .viewers
                .kicked
                .add(viewer.name(), Instant::now());
        }
        true
    }

    /// Reads the counters, over all clones.
    pub fn stats(&self) -> StreamStats {
        self.shared.counters.read()
    }

    /// Lists the current viewers, over all clones, in the order they came.
    pub fn viewers(&self) -> Vec<ViewerInfo> {
        self.shared.viewers.list(Instant::now())
    }

    /// Takes over a viewer from a listener.
    pub(crate) fn attach(&self, viewer: NewViewer) {
        let shared = &*self.shared;
        let ends = || (shared.closer.closing(), shared.config.subscribe());
        match viewer.feed.replay().cloned() {
            Some(replay) => shared.shards.attach_alone(viewer, replay, ends),
            None => shared.shards.attach(viewer, &shared.consumer, ends),
        }
    }

    /// What all clones share, and how requests are answered.
    pub(crate) fn shared(&self) -> &Arc<ServiceShared> {
        &self.shared
    }

    /// Answers a request with the stream, whatever its path is. Its method, query and headers count
    /// as at [`/stream`](crate#what-a-viewer-gets).
    ///
    /// For routes of your own in another server.
    pub fn stream<B>(&self, request: Request<B>) -> ResponseFuture {
        self.respond_at(request, Some("/stream"))
    }

    /// Answers a request with a snapshot, whatever its path is. Its method, query and headers count
    /// as at [`/snapshot`](crate#snapshots).
    ///
    /// For routes of your own in another server.
    pub fn snapshot<B>(&self, request: Request<B>) -> ResponseFuture {
        self.respond_at(request, Some("/snapshot"))
    }

    /// Answers a request as if it were for this path, or for its own.
    fn respond_at<B>(&self, request: Request<B>, path: Option<&'static str>) -> ResponseFuture {
        let (request, _) = request.into_parts();
        let shared = Arc::clone(&self.shared);
        let caller = Caller {
            peer: request.extensions.get::<Peer>().copied(),
            ..Caller::default()
        };
        ResponseFuture::new(async move {
            let headers = request.headers.clone();
            let own_path = request.uri.path().to_owned();
            let path = path.unwrap_or(&own_path);
            let answer = shared.answer(request, path, caller).await;
            shared.respond(answer, &headers).await
        })
    }
}

/// Builds a [`StreamService`]; from [`StreamService::builder`].
pub struct StreamServiceBuilder {
    consumer: Consumer,
    config: StreamConfig,
    name: Option<Arc<str>>,
    gate: Option<SharedGate>,
}

impl StreamServiceBuilder {
    /// Sets limits and times. Default: those of [`StreamConfig::default`].
    pub fn config(mut self, config: StreamConfig) -> Self {
        self.config = config;
        self
    }

    /// Sets the stream's name, which the gate and the log see. Default: none.
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the gate that decides about requests. Default: none; everybody may watch.
    pub fn gate(mut self, gate: Arc<dyn Gate>) -> Self {
        self.gate = Some(SharedGate(gate));
        self
    }

    /// Makes the service.
    pub fn build(self) -> StreamService {
        let shared = ServiceShared {
            shards: Shards::new(self.name.clone()),
            viewers: Arc::new(ViewerTable::new(self.name.clone())),
            name: self.name,
            consumer: self.consumer,
            config: watch::Sender::new(Arc::new(self.config)),
            gate: self.gate,
            counters: Arc::default(),
            closer: Closer::new(),
            #[cfg(feature = "http2")]
            cutter: watch::Sender::new(false),
            watching: watch::Sender::new(()),
            rechecks: AtomicU64::new(0),
            #[cfg(feature = "replay")]
            replays: crate::replay::places::ReplayPlaces::default(),
        };
        StreamService {
            shared: Arc::new(shared),
        }
    }
}

impl fmt::Debug for StreamServiceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamServiceBuilder")
            .field("name", &self.name)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl<B> hyper::service::Service<Request<B>> for StreamService {
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn call(&self, request: Request<B>) -> Self::Future {
        self.respond_at(request, None)
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
        self.respond_at(request, None)
    }
}

/// How many viewers a gate is asked about at the same time.
const RECHECKED_AT_ONCE: usize = 64;
