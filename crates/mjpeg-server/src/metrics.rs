//! The figures of a relay as text for Prometheus.
//!
//! All are read when they are asked for, from what the manager and its outlet count anyway. No
//! figure is kept between two scrapes.

mod accept;
#[cfg(unix)]
mod clips;
mod cluster;
mod families;
mod listener;
mod outbound;
mod process;
#[cfg(feature = "http-listen")]
mod push;
#[cfg(unix)]
mod recordings;
mod relay;
mod replay;
mod stream;
mod wall;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, VARY, X_CONTENT_TYPE_OPTIONS},
};
use mjpeg_auth::{Auth, HookStats};
use mjpeg_control::ControlApi;
use mjpeg_manager::{HttpOutlet, Manager, mjpeg_http::ListenerStats};
use prometheus_client::{collector::Collector, encoding::DescriptorEncoder, registry::Registry};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

#[cfg(feature = "http-listen")]
use self::push::PushFigures;
use self::{
    accept::Format, families::Families, listener::ListenerReading, process::ProcessReading,
    relay::RelayReading, stream::StreamReading, wall::WallReading,
};
use crate::cluster::{RelayNode, figures::ClusterFigures};
use crate::recordings::by_event::{EventClips, counters::EventClipStats};
#[cfg(unix)]
use crate::recordings::{Recordings, figures::RecordingFigures};
use crate::webhooks::{Webhooks, stats::WebhookStats};

/// The figures of a relay, for Prometheus and what reads its formats.
///
/// The metrics are listed in `docs/monitoring.md`. No figure is of one viewer. Clones share their
/// limit.
///
/// ```
/// use mjpeg_manager::{HttpOutlet, Manager, ManagerConfig};
/// use mjpeg_server::Metrics;
///
/// let http = HttpOutlet::default();
/// let manager = Manager::with_outlets(ManagerConfig::default(), [http.factory()]);
/// let answer = Metrics::new(manager, http).respond(None, []);
/// assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
/// ```
#[derive(Clone, Debug)]
pub struct Metrics {
    manager: Manager,
    http: HttpOutlet,
    control: Option<ControlApi>,
    webhooks: Webhooks,
    auth: Option<Auth>,
    node: Option<RelayNode>,
    #[cfg(unix)]
    recordings: Option<Recordings>,
    clips: Option<EventClips>,
    /// One for each answer that may be on its way.
    answers: Arc<Semaphore>,
    /// Requests refused because there were none left.
    refused: Arc<AtomicU64>,
}

impl Metrics {
    /// Makes the figures of a manager and the outlet that serves its streams.
    pub fn new(manager: Manager, http: HttpOutlet) -> Self {
        Self {
            manager,
            http,
            control: None,
            webhooks: Webhooks::default(),
            auth: None,
            node: None,
            #[cfg(unix)]
            recordings: None,
            clips: None,
            answers: Arc::new(Semaphore::new(MAX_ANSWERS)),
            refused: Arc::default(),
        }
    }

    /// Adds the figures of an API: of its wall sockets, and of pictures sent to gateways. Default:
    /// none.
    pub(crate) fn with_control(mut self, control: ControlApi) -> Self {
        self.control = Some(control);
        self
    }

    /// Adds the figures of what the relay itself sends requests to.
    pub(crate) fn with_outbound(mut self, webhooks: Webhooks, auth: Auth) -> Self {
        (self.webhooks, self.auth) = (webhooks, Some(auth));
        self
    }

    /// Adds the figures of the node that the relay is in a cluster. Default: it is alone.
    pub(crate) fn with_node(mut self, node: Option<RelayNode>) -> Self {
        self.node = node;
        self
    }

    /// Adds the figures of clips and time-lapses. Default: there are none.
    #[cfg(unix)]
    pub(crate) fn with_recordings(mut self, recordings: Option<Recordings>) -> Self {
        self.recordings = recordings;
        self
    }

    /// Adds the figures of clips that streams keep by themselves. Default: none.
    #[cfg(unix)]
    pub(crate) fn with_clips(mut self, clips: Option<EventClips>) -> Self {
        self.clips = clips;
        self
    }

    /// Answers a request for the figures, whose `Accept` header decides their format: OpenMetrics
    /// 1.0 for who asks for it, else Prometheus' text format 0.0.4.
    ///
    /// `listeners` are the ports that serve several streams, each by its name and its counters. The
    /// streams' own ports are read from the outlet.
    ///
    /// An answer has some 6.5 kB per stream. At most four are on their way at once, until their
    /// bodies are dropped; one more is `503`, and counted in `mjpeg_scrapes_refused_total`.
    pub fn respond(
        &self,
        accept: Option<&str>,
        listeners: impl IntoIterator<Item = (String, ListenerStats)>,
    ) -> Response<Bytes> {
        let Ok(permit) = Arc::clone(&self.answers).try_acquire_owned() else {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return answer(
                StatusCode::SERVICE_UNAVAILABLE,
                TEXT,
                "Too many scrapes at once. Try again later.\n",
            );
        };
        let format = Format::accepted(accept.unwrap_or_default());
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self.read(listeners)));
        match format.encode(&registry) {
            Ok(text) => {
                let body = Bytes::from_owner(AnswerText {
                    text,
                    _permit: permit,
                });
                answer(StatusCode::OK, format.content_type(), body)
            }
            // Writing to a string does not fail.
            Err(fmt::Error) => answer(StatusCode::INTERNAL_SERVER_ERROR, TEXT, "internal error\n"),
        }
    }

    fn hook(&self) -> Option<HookStats> {
        let auth = self.auth.as_ref().filter(|auth| auth.has_hook())?;
        Some(auth.stats().hook)
    }

    fn read(&self, listeners: impl IntoIterator<Item = (String, ListenerStats)>) -> Figures {
        let streams = StreamReading::all(&self.manager, &self.http);
        let shared = listeners
            .into_iter()
            .map(|(name, stats)| ListenerReading::shared(name, stats));
        let own = streams.iter().filter_map(ListenerReading::own);
        Figures {
            relay: RelayReading::new(
                &self.manager,
                &self.http,
                self.refused.load(Ordering::Relaxed),
            ),
            walls: self.control.as_ref().map(WallReading::new),
            listeners: shared.chain(own).collect(),
            streams,
            webhooks: self.webhooks.stats(),
            hook: self.hook(),
            node: self.node.as_ref().map(RelayNode::figures),
            #[cfg(unix)]
            recordings: self
                .recordings
                .as_ref()
                .map_or_else(Default::default, Recordings::figures),
            clips: self
                .clips
                .as_ref()
                .map(EventClips::stats)
                .unwrap_or_default(),
            #[cfg(feature = "http-listen")]
            pushes: PushFigures::now(self.control.as_ref()),
            process: ProcessReading::now(),
        }
    }
}

/// A reading of everything.
#[derive(Debug)]
struct Figures {
    relay: RelayReading,
    /// `None` where there is no API.
    walls: Option<WallReading>,
    streams: Vec<StreamReading>,
    listeners: Vec<ListenerReading>,
    webhooks: Vec<(String, WebhookStats)>,
    /// `None` if there is none.
    hook: Option<HookStats>,
    /// `None` if the relay is alone.
    node: Option<ClusterFigures>,
    /// Of clips, and of time-lapses.
    #[cfg(unix)]
    recordings: [RecordingFigures; 2],
    /// By stream, and how many were deleted.
    #[cfg(unix)]
    clips: (Vec<(String, EventClipStats)>, u64),
    #[cfg(feature = "http-listen")]
    pushes: PushFigures,
    /// `None` where the system does not tell.
    process: Option<ProcessReading>,
}

impl Collector for Figures {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut families = Families::new(encoder);
        self.relay.encode(&mut families)?;
        self.walls
            .as_ref()
            .map_or(Ok(()), |walls| walls.encode(&mut families))?;
        stream::encode(&self.streams, &mut families)?;
        replay::encode(&self.streams, &mut families)?;
        #[cfg(unix)]
        recordings::encode(&self.recordings, &mut families)?;
        clips::encode(&self.clips, &mut families)?;
        listener::encode(&self.listeners, &mut families)?;
        outbound::webhooks(&self.webhooks, &mut families)?;
        outbound::hook(self.hook.as_ref(), &mut families)?;
        cluster::encode(self.node.as_ref(), &mut families)?;
        #[cfg(feature = "http-listen")]
        self.pushes.encode(&mut families)?;
        self.process
            .as_ref()
            .map_or(Ok(()), |process| process.encode(&mut families))
    }
}

/// The body of an answer, for as long as somebody holds it.
struct AnswerText {
    text: String,
    _permit: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for AnswerText {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

fn answer(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(VARY, HeaderValue::from_static("accept"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

const TEXT: &str = "text/plain; charset=utf-8";

/// How many answers may be on their way at once.
const MAX_ANSWERS: usize = 4;
