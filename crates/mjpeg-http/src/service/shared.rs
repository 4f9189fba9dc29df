//! How a stream's requests are answered.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

#[cfg(feature = "http2")]
use std::time::Duration;

use http::{HeaderMap, Response, request::Parts};
use mjpeg_fanout::Consumer;
#[cfg(feature = "http2")]
use tokio::time::timeout;
use tokio::{sync::watch, time::Instant};
#[cfg(feature = "http2")]
use tracing::warn;

use crate::{
    closing::Closer,
    config::{listener::ListenerConfig, stream::StreamConfig},
    feed::Feed,
    gate::{Grant, Inquiry, SharedGate},
    peer::Peer,
    request::{relay, route::Route, snapshot::SnapshotRequest, stream::StreamRequest},
    response::mjpeg_body::{MjpegBody, ServiceEnd},
    response::{body::ResponseBody, head, referrer, short, snapshot::Snapshot},
    shards::Shards,
    stats::StreamCounters,
    transport::TlsInfo,
    viewers::{
        admission::Full,
        answer::AnswerState,
        answer_permit::AnswerPermit,
        permit::{Entrance, Permit},
        table::ViewerTable,
    },
};
#[cfg(feature = "replay")]
use crate::{replay::places::ReplayPlaces, response::clip::ClipAnswer};

/// What all clones of a service share.
#[derive(Debug)]
pub(crate) struct ServiceShared {
    pub(crate) name: Option<Arc<str>>,
    pub(crate) consumer: Consumer,
    pub(crate) config: watch::Sender<Arc<StreamConfig>>,
    pub(crate) gate: Option<SharedGate>,
    pub(crate) counters: Arc<StreamCounters>,
    pub(crate) viewers: Arc<ViewerTable>,
    pub(crate) closer: Closer,
    pub(crate) shards: Shards,
    /// Tells the viewers that share a connection with others when they are cut. Each has a receiver
    /// for as long as it is sent the stream.
    #[cfg(feature = "http2")]
    pub(crate) cutter: watch::Sender<bool>,
    /// Counts the viewers that other services send frames to: each has a receiver.
    pub(crate) watching: watch::Sender<()>,
    /// How many rechecks have begun.
    pub(crate) rechecks: AtomicU64,
    #[cfg(feature = "replay")]
    pub(crate) replays: ReplayPlaces,
}

/// How a request is answered.
pub(crate) enum Answer {
    /// With a stream.
    Stream(Response<()>, Box<Feed>),
    /// With a picture, as soon as there is one.
    Later(Snapshot),
    /// With a part of the past, as soon as all of it is there.
    #[cfg(feature = "replay")]
    Clip(Box<ClipAnswer>),
    Now(Response<ResponseBody>),
}

/// What is known about a client besides its request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Caller {
    pub(crate) peer: Option<Peer>,
    pub(crate) listener: Option<Arc<str>>,
    pub(crate) tls: Option<TlsInfo>,
}

impl Caller {
    /// Finds out who sent a request with these headers, and removes those that only a trusted proxy
    /// may send.
    pub(crate) fn meet(&mut self, headers: &mut HeaderMap, config: &ListenerConfig) {
        let client = self.peer.map(|peer| config.client(peer, headers));
        self.peer = client;
        if !client.is_some_and(|client| client.is_via_trusted_proxy()) {
            headers.remove(REMOTE_USER);
        }
    }
}

impl Answer {
    /// Keeps browsers from naming the URL of the request to other sites.
    fn hide_url(&mut self) {
        match self {
            Self::Stream(head, _) => referrer::hide(head),
            Self::Later(snapshot) => snapshot.hides_url = true,
            #[cfg(feature = "replay")]
            Self::Clip(clip) => clip.hides_url = true,
            Self::Now(response) => referrer::hide(response),
        }
    }
}

impl ServiceShared {
    /// The limits and times that apply now.
    pub(crate) fn config(&self) -> Arc<StreamConfig> {
        Arc::clone(&self.config.borrow())
    }

    /// Answers a request once the gate has decided. `path` is the path within the stream.
    pub(crate) async fn answer(&self, request: Parts, path: &str, caller: Caller) -> Answer {
        let mut answer = self.decided(&request, path, &caller).await;
        if referrer::is_secret(&request.uri) {
            answer.hide_url();
        }
        answer
    }

    async fn decided(&self, request: &Parts, path: &str, caller: &Caller) -> Answer {
        let route = self.route(request, path);
        if self.gate.is_none() {
            let granted = (Grant::default(), None);
            return self.decide(&route, request, caller, granted, true);
        }
        let inquiry = Arc::new(self.inquiry(request, route.action(), caller));
        loop {
            let rechecks = self.rechecks.load(Ordering::Acquire);
            let answer = match self.admit(&inquiry).await {
                Ok(grant) => {
                    let mut kept = Arc::clone(&inquiry);
                    if grant.proof.is_some() {
                        Arc::make_mut(&mut kept).proof.clone_from(&grant.proof);
                    }
                    let names_viewers = route.names_viewers() && self.may_control(&inquiry).await;
                    let granted = (grant, Some(kept));
                    self.decide(&route, request, caller, granted, names_viewers)
                }
                Err(refusal) => Answer::Now(*refusal),
            };
            // A recheck that began in the meantime has not seen this viewer. The decision may be
            // out of date, so ask again.
            if self.rechecks.load(Ordering::Acquire) == rechecks {
                return answer;
            }
        }
    }

    fn is_closed(&self) -> bool {
        self.closer.is_closed()
    }

    fn route(&self, request: &Parts, path: &str) -> Route {
        let query = request.uri.query();
        Route::read(
            &request.method,
            path,
            query,
            &request.headers,
            &self.config(),
        )
    }

    /// Picks the answer to a request that the gate admits.
    #[cfg_attr(
        not(feature = "compat"),
        expect(unused_variables, reason = "only ustreamer's state lists viewers")
    )]
    fn decide(
        &self,
        route: &Route,
        request: &Parts,
        caller: &Caller,
        granted: (Grant, Option<Arc<Inquiry>>),
        names_viewers: bool,
    ) -> Answer {
        let config = self.config();
        let (now, peer) = (Instant::now(), caller.peer);
        let share = |response| head::share(response, config.cors(), &request.headers);
        let entrance = self.entrance(&config);
        let response = match route {
            _ if relay::is_loop(&request.headers) => {
                self.counters.loops.add_one();
                short::looped()
            }
            _ if route.is_stream() && self.is_closed() => short::closed(),
            _ if self.is_kept_out(route, now) => short::kicked(),
            Route::Stream(wanted) => match self.stream(wanted, request, caller, granted, now) {
                Ok((head, feed)) => return Answer::Stream(head, Box::new(feed)),
                Err(full) => short::full(full),
            },
            #[cfg(feature = "replay")]
            Route::Past(past) => match self.past(past, request, caller, granted) {
                Ok(answer) => return answer,
                Err(refusal) => *refusal,
            },
            Route::StreamHead(wanted) => {
                head::stream_head(request.version, wanted).map(|()| ResponseBody::whole(""))
            }
            Route::Snapshot(wanted) => match AnswerPermit::take(&entrance, peer) {
                Ok(permit) => return Answer::Later(self.snapshot(wanted, permit, now)),
                Err(full) => short::full(full),
            },
            #[cfg(feature = "compat")]
            Route::State => match AnswerPermit::take(&entrance, peer) {
                Ok(permit) => {
                    let most = if names_viewers {
                        config.max_listed_viewers()
                    } else {
                        0
                    };
                    let summary = self.viewers.summary(most, now);
                    let consumer = &self.consumer;
                    crate::response::state::answer(consumer, &summary, permit, &config, now)
                }
                Err(full) => short::full(full),
            },
            Route::Preflight => short::preflight(&request.headers, config.cors()),
            Route::NotAllowed => short::not_allowed(),
            Route::NoControl => short::no_control(),
            Route::UnknownAction => short::unknown_action(),
            Route::NotFound => short::not_found(),
        };
        Answer::Now(share(response))
    }

    /// Admits a viewer. Returns the head of its response, and what decides what it is sent.
    pub(crate) fn stream(
        &self,
        wanted: &StreamRequest,
        request: &Parts,
        caller: &Caller,
        granted: (Grant, Option<Arc<Inquiry>>),
        now: Instant,
    ) -> Result<(Response<()>, Feed), Full> {
        let config = self.config();
        let wanted = wanted.with_max_fps(granted.0.max_fps);
        let permit = Permit::take(&self.entrance(&config), caller.peer, &wanted, granted, now)?;
        permit.log_arrival(caller.listener.as_deref(), &request.headers, &request.uri);
        let mut head = head::stream_head(request.version, &wanted);
        if wanted.is_relay {
            head::name_relays(head.headers_mut(), &self.consumer);
        }
        let head = head::share(head, config.cors(), &request.headers);
        Ok((head, Feed::new(permit, wanted, config, now)))
    }

    /// Whether a viewer with the key of this request was kicked lately. Counts it then.
    fn is_kept_out(&self, route: &Route, now: Instant) -> bool {
        let Some(wanted) = route.stream() else {
            return false;
        };
        let is_kept_out = self.viewers.kicked.contains(&wanted.key, now);
        if is_kept_out {
            self.counters.viewers_refused_kicked.add_one();
        }
        is_kept_out
    }

    pub(crate) fn snapshot(
        &self,
        wanted: &SnapshotRequest,
        permit: AnswerPermit,
        now: Instant,
    ) -> Snapshot {
        Snapshot {
            consumer: self.consumer.clone(),
            request: wanted.clone(),
            counters: Arc::clone(&self.counters),
            config: self.config(),
            permit,
            requested_at: now,
            past: None,
            hides_url: false,
        }
    }

    pub(crate) fn entrance<'a>(&'a self, config: &'a StreamConfig) -> Entrance<'a> {
        Entrance {
            table: &self.viewers,
            counters: &self.counters,
            consumer: &self.consumer,
            config,
        }
    }

    /// What bounds the sending of an answer that is not counted, such as an error.
    pub(crate) fn unlimited_answer(&self) -> Arc<AnswerState> {
        Arc::new(AnswerState::new((None, 0), &self.config(), &self.counters))
    }

    /// Turns an answer into a response, for a server that sends it itself.
    pub(crate) async fn respond(
        &self,
        answer: Answer,
        headers: &HeaderMap,
    ) -> Response<ResponseBody> {
        match answer {
            Answer::Stream(head, feed) => head.map(|()| self.body(*feed)),
            Answer::Later(snapshot) => {
                let hides_url = snapshot.hides_url;
                let picture = snapshot.answer().await;
                let mut picture = head::share(picture, self.config().cors(), headers);
                if hides_url {
                    referrer::hide(&mut picture);
                }
                picture
            }
            #[cfg(feature = "replay")]
            Answer::Clip(clip) => {
                let hides_url = clip.hides_url;
                let mut clip = head::share(clip.answer().await, self.config().cors(), headers);
                if hides_url {
                    referrer::hide(&mut clip);
                }
                clip
            }
            Answer::Now(response) => response,
        }
    }

    /// Waits until the viewers that share connections with others have ended, at most for the
    /// grace, and then cuts them. Returns how many were cut. The service must be closed, or they do
    /// not end.
    #[cfg(feature = "http2")]
    pub(crate) async fn drain_http2(&self, grace: Duration) -> usize {
        if timeout(grace, self.cutter.closed()).await.is_ok() {
            return 0;
        }
        let cut = self.cutter.receiver_count();
        let stream = self.name.as_deref();
        warn!(stream, cut, "viewers did not end in time and were cut");
        self.cutter.send_replace(true);
        self.cutter.closed().await;
        cut
    }

    /// Turns a feed into a response body, for servers that send it themselves.
    fn body(&self, feed: Feed) -> ResponseBody {
        let end = ServiceEnd {
            closing: self.closer.closing(),
            config: self.config.subscribe(),
        };
        let consumer = feed.replay().unwrap_or(&self.consumer).clone();
        MjpegBody::of(feed, consumer, Some(end)).into()
    }
}

/// Who is logged in at a proxy.
const REMOTE_USER: &str = "remote-user";
