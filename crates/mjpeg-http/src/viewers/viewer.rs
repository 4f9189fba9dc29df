//! One viewer: what it was sent, and how it keeps up.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use mjpeg_codec::multipart::Layout;
use tokio::{sync::Notify, time::Instant};

use crate::{
    gate::{Grant, Inquiry},
    limit::ViewerLimit,
    peer::Peer,
    request::stream::StreamRequest,
    viewers::{admission::Health, rate::PartInterval},
};

/// A reading of one viewer of a stream, from
/// [`StreamService::viewers`](crate::StreamService::viewers).
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ViewerInfo {
    /// Its number within the service: 1, 2, 3, … Pass it to
    /// [`StreamService::kick`](crate::StreamService::kick).
    pub id: u64,
    /// Its address; `None` if unknown.
    pub peer: Option<SocketAddr>,
    /// Its identity, from the [`Gate`](crate::Gate); `None` for a stranger.
    #[cfg_attr(feature = "serde", serde(serialize_with = "json::text"))]
    pub identity: Option<Arc<str>>,
    /// The name that it gave itself with `?key=`, at most 64 characters; else empty.
    pub key: String,
    /// How it is sent the stream: `multipart`, or as the service calls it that
    /// [watches](crate::StreamService::watch) in its place, such as `wall`.
    pub protocol: &'static str,
    /// The layout it gets, if it gets a multipart stream.
    #[cfg_attr(feature = "serde", serde(serialize_with = "json::layout"))]
    pub layout: Layout,
    /// How long it has been watching.
    #[cfg_attr(feature = "serde", serde(serialize_with = "json::seconds"))]
    pub watching: Duration,
    /// Parts sent to it, repeats included.
    pub sent: u64,
    /// Frames it skipped because they came faster than it took them.
    pub skipped: u64,
    /// Bytes of the parts sent to it.
    pub sent_bytes: u64,
    /// The age of the last frame when sending it began, counted from when it was received from the
    /// camera. `None` before the first.
    #[cfg_attr(feature = "serde", serde(serialize_with = "json::optional_seconds"))]
    pub age_at_send: Option<Duration>,
    /// Parts per second lately; 0 when none has been sent for a while.
    pub fps: f64,
    /// Whether the last frame is repeated soon after the camera falls silent, and not only at the
    /// pace of the keepalive.
    pub repeat_soon: bool,
}

/// One viewer, shared between the task that serves it and the table of viewers.
#[derive(Debug)]
pub(crate) struct ViewerState {
    pub(crate) id: u64,
    pub(crate) peer: Option<Peer>,
    /// The shared limit in which it has a place.
    pub(crate) total: Option<ViewerLimit>,
    /// Its address or network, as limits count it; `None` if unknown.
    pub(crate) home: Option<IpAddr>,
    key: String,
    protocol: &'static str,
    layout: Layout,
    repeat_soon: bool,
    identity: Option<Arc<str>>,
    /// What its gate decided about; `None` without a gate.
    inquiry: Option<Arc<Inquiry>>,
    since: Instant,
    pub(crate) sent: AtomicU64,
    pub(crate) skipped: AtomicU64,
    pub(crate) sent_bytes: AtomicU64,
    /// In nanoseconds; the largest value before the first frame.
    pub(crate) age: AtomicU64,
    /// Which frame is being sent; 0 for none.
    pub(crate) sending: AtomicU64,
    pub(crate) interval: PartInterval,
    /// When sending last began, in nanoseconds from `since`; 0 before the first time.
    pub(crate) begun: AtomicU64,
    /// Since when its socket takes no byte, counted as `begun`; 0 while it takes some, and always
    /// where the socket is not ours.
    pub(crate) blocked: AtomicU64,
    /// When its grant ends, counted as `begun`; 0 for never.
    granted_until: AtomicU64,
    /// Another viewer has replaced it. Changed under the lock of the table.
    pub(crate) is_replaced: AtomicBool,
    /// Its gate no longer admits it, or it was kicked.
    is_revoked: AtomicBool,
    /// It was its gate.
    is_denied: AtomicBool,
    /// Notified when this viewer has to end, even in the middle of a part.
    pub(crate) cut: Notify,
    /// Notified when its grant has changed.
    pub(crate) regranted: Notify,
}

impl ViewerState {
    pub(crate) fn new(
        id: u64,
        peer: Option<Peer>,
        home: Option<IpAddr>,
        request: &StreamRequest,
        now: Instant,
    ) -> Self {
        Self {
            id,
            total: None,
            peer,
            home,
            key: request.key.clone(),
            protocol: request.protocol.unwrap_or(MULTIPART),
            layout: request.layout,
            repeat_soon: request.repeat_soon,
            identity: None,
            inquiry: None,
            since: now,
            sent: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            sent_bytes: AtomicU64::new(0),
            age: AtomicU64::new(u64::MAX),
            sending: AtomicU64::new(0),
            interval: PartInterval::default(),
            begun: AtomicU64::new(0),
            blocked: AtomicU64::new(0),
            granted_until: AtomicU64::new(0),
            is_replaced: AtomicBool::new(false),
            is_revoked: AtomicBool::new(false),
            is_denied: AtomicBool::new(false),
            cut: Notify::new(),
            regranted: Notify::new(),
        }
    }

    /// Keeps what its gate decided.
    pub(crate) fn granted(mut self, grant: Grant, inquiry: Option<Arc<Inquiry>>) -> Self {
        self.set_granted_until(grant.until);
        self.identity = grant.identity;
        self.inquiry = inquiry;
        self
    }

    /// The name that it gave itself; empty for none.
    pub(crate) fn name(&self) -> &str {
        &self.key
    }

    pub(crate) fn info(&self, now: Instant) -> ViewerInfo {
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let watching = now.saturating_duration_since(self.since);
        ViewerInfo {
            id: self.id,
            peer: self.peer.and_then(|peer| peer.addr()),
            identity: self.identity.clone(),
            key: self.key.clone(),
            protocol: self.protocol,
            layout: self.layout,
            watching,
            sent: read(&self.sent),
            skipped: read(&self.skipped),
            sent_bytes: read(&self.sent_bytes),
            age_at_send: Some(read(&self.age))
                .filter(|&age| age != u64::MAX)
                .map(Duration::from_nanos),
            fps: self.fps(now),
            repeat_soon: self.repeat_soon,
        }
    }

    /// Parts per second lately.
    pub(crate) fn fps(&self, now: Instant) -> f64 {
        let watching = now.saturating_duration_since(self.since);
        let begun = Duration::from_nanos(self.begun.load(Ordering::Relaxed));
        let silent = watching.saturating_sub(begun);
        let is_recent = |interval: &Duration| silent < QUIET.max(3 * *interval);
        let interval = self.interval.average().filter(is_recent);
        interval.map_or(0.0, |interval| 1.0 / interval.as_secs_f64())
    }

    pub(crate) fn health(&self, now: Instant) -> Health {
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let watching = now.saturating_duration_since(self.since);
        let since = |nanos| watching.saturating_sub(Duration::from_nanos(nanos));
        Health {
            blocked: match read(&self.blocked) {
                0 => Duration::ZERO,
                nanos => since(nanos),
            },
            sending: match read(&self.sending) {
                0 => Duration::ZERO,
                _ => since(read(&self.begun)),
            },
            watching,
        }
    }

    /// Records that it has taken no byte since this moment.
    pub(crate) fn blocks(&self, since: Instant) {
        self.blocked
            .store(self.since_start(since), Ordering::Relaxed);
    }

    /// Whether a frame is being sent.
    pub(crate) fn is_sending(&self) -> bool {
        self.sending.load(Ordering::Relaxed) != 0
    }

    /// Records that the frame has been handed over.
    pub(crate) fn sent_whole(&self) {
        self.sending.store(0, Ordering::Relaxed);
        self.blocked.store(0, Ordering::Relaxed);
    }

    /// When sending last began.
    #[cfg(feature = "http2")]
    pub(crate) fn begun_at(&self) -> Instant {
        self.since + Duration::from_nanos(self.begun.load(Ordering::Relaxed))
    }

    /// Its key in the table.
    pub(crate) fn key(&self) -> (Option<IpAddr>, u64) {
        (self.home, self.id)
    }

    pub(crate) fn is_replaced(&self) -> bool {
        self.is_replaced.load(Ordering::Relaxed)
    }

    /// Whether its response has to end at the next part, whatever the camera does.
    pub(crate) fn must_end(&self) -> bool {
        self.is_replaced() || self.is_revoked.load(Ordering::Relaxed)
    }

    /// Ends its response, even in the middle of a part. Returns whether this is the first call.
    pub(crate) fn revoke(&self) -> bool {
        let is_news = !self.is_revoked.swap(true, Ordering::Relaxed);
        self.cut.notify_one();
        is_news
    }

    /// Ends its response because its gate no longer admits it. Returns whether this is the first
    /// call.
    pub(crate) fn deny(&self) -> bool {
        self.is_denied.store(true, Ordering::Relaxed);
        self.revoke()
    }

    /// Whether its gate no longer admits it.
    pub(crate) fn is_denied(&self) -> bool {
        self.is_denied.load(Ordering::Relaxed)
    }

    /// What its gate decided about; `None` without a gate.
    pub(crate) fn inquiry(&self) -> Option<Arc<Inquiry>> {
        self.inquiry.clone()
    }

    pub(crate) fn set_granted_until(&self, until: Option<std::time::Instant>) {
        let nanos = until.map_or(0, |until| self.since_start(Instant::from_std(until)));
        self.granted_until.store(nanos, Ordering::Relaxed);
        self.regranted.notify_one();
    }

    /// When its grant ends; `None` for never.
    pub(crate) fn granted_until(&self) -> Option<Instant> {
        match self.granted_until.load(Ordering::Relaxed) {
            0 => None,
            nanos => self.since.checked_add(Duration::from_nanos(nanos)),
        }
    }

    /// A time in nanoseconds from when it came, and never 0.
    pub(crate) fn since_start(&self, now: Instant) -> u64 {
        let nanos = now.saturating_duration_since(self.since).as_nanos();
        u64::try_from(nanos).unwrap_or(u64::MAX).max(1)
    }
}

/// How viewers are sent a stream that ask for it themselves.
const MULTIPART: &str = "multipart";

/// A viewer that took no part for this long has no rate.
const QUIET: Duration = Duration::from_secs(2);

/// How a viewer is serialised: durations in seconds, the layout by its name.
#[cfg(feature = "serde")]
mod json {
    use std::{sync::Arc, time::Duration};

    use mjpeg_codec::multipart::Layout;
    use serde::{Serialize, Serializer};

    pub(super) fn seconds<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(time.as_secs_f64())
    }

    pub(super) fn optional_seconds<S: Serializer>(
        time: &Option<Duration>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(|time| time.as_secs_f64()).serialize(to)
    }

    pub(super) fn text<S: Serializer>(text: &Option<Arc<str>>, to: S) -> Result<S::Ok, S::Error> {
        text.as_deref().serialize(to)
    }

    pub(super) fn layout<S: Serializer>(layout: &Layout, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(match layout {
            Layout::Advance => "advance",
            _ => "trailing",
        })
    }
}
