//! A viewer's admission.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use http::{HeaderMap, Uri, header::USER_AGENT};
use mjpeg_fanout::{Consumer, Published, Viewing};
use tokio::time::Instant;
use tracing::debug;

use crate::{
    config::stream::StreamConfig,
    gate::{Grant, Inquiry},
    limit::ViewerLimit,
    peer::Peer,
    request::stream::StreamRequest,
    stats::StreamCounters,
    viewers::{
        admission::{ClientOrigin, Full},
        in_flight::SentBytes,
        table::ViewerTable,
        viewer::ViewerState,
    },
};

/// A viewer's admission, for as long as its response lives. Counts as demand for frames meanwhile.
#[derive(Debug)]
pub(crate) struct Permit {
    table: Arc<ViewerTable>,
    viewer: Arc<ViewerState>,
    counters: Arc<StreamCounters>,
    total: Option<ViewerLimit>,
    /// Its frames are not live: their age tells nothing about the viewer, and their memory is the
    /// ring's.
    is_past: bool,
    /// `None` for the past, which needs no camera.
    _viewing: Option<Viewing>,
}

/// Where viewers are admitted to.
pub(crate) struct Entrance<'a> {
    pub(crate) table: &'a Arc<ViewerTable>,
    pub(crate) counters: &'a Arc<StreamCounters>,
    pub(crate) consumer: &'a Consumer,
    pub(crate) config: &'a StreamConfig,
}

/// A part that is about to be sent.
pub(crate) struct OutgoingPart<'a> {
    pub(crate) frame: &'a Arc<Published>,
    pub(crate) held: SentBytes<'a>,
    /// What goes over the wire.
    pub(crate) bytes: usize,
    /// Frames skipped since the one before.
    pub(crate) skipped: u64,
    pub(crate) is_repeat: bool,
    pub(crate) max_inflight_bytes: usize,
}

impl Permit {
    /// Admits a viewer from this peer, if the limits allow one more.
    pub(crate) fn take(
        entrance: &Entrance<'_>,
        peer: Option<Peer>,
        request: &StreamRequest,
        (grant, inquiry): (Grant, Option<Arc<Inquiry>>),
        now: Instant,
    ) -> Result<Self, Full> {
        let Entrance {
            table,
            counters,
            consumer,
            config,
        } = entrance;
        let origin = peer.and_then(ClientOrigin::of);
        // Locked until the viewer is in the table, so that no other takes the same place.
        let mut admitted = table.admitted();
        let total = admitted.admit(origin, config, counters, now)?;
        let home = origin.map(|origin| origin.home());
        let viewer = ViewerState::new(table.next_id(), peer, home, request, now);
        let mut viewer = viewer.granted(grant, inquiry);
        viewer.total = total.clone();
        let viewer = Arc::new(viewer);
        admitted.insert(Arc::clone(&viewer));
        drop(admitted);
        counters.viewers.up();
        Ok(Self {
            table: Arc::clone(table),
            viewer,
            counters: Arc::clone(counters),
            total,
            is_past: request.is_past,
            _viewing: (!request.is_past).then(|| consumer.viewing()),
        })
    }

    /// Admits a viewer that no limit applies to.
    pub(crate) fn unlimited(consumer: &Consumer, request: &StreamRequest, now: Instant) -> Self {
        let table = Arc::<ViewerTable>::default();
        let viewer = Arc::new(ViewerState::new(1, None, None, request, now));
        table.admitted().insert(Arc::clone(&viewer));
        let counters = Arc::<StreamCounters>::default();
        counters.viewers.up();
        Self {
            table,
            viewer,
            counters,
            total: None,
            is_past: false,
            _viewing: Some(consumer.viewing()),
        }
    }

    /// Logs that the viewer has come: through this listener, with this request.
    pub(crate) fn log_arrival(&self, listener: Option<&str>, headers: &HeaderMap, uri: &Uri) {
        let agent = headers.get(USER_AGENT);
        let agent = agent.map(|agent| String::from_utf8_lossy(agent.as_bytes()));
        let ViewerState { id, peer, .. } = &*self.viewer;
        let key = self.viewer.name();
        debug!(
            stream = self.table.stream(),
            viewer = id,
            peer = %peer.unwrap_or_default(),
            listener = listener.filter(|name| !name.is_empty()),
            // Without the query, in which there may be a secret.
            path = uri.path(),
            key = Some(key).filter(|key| !key.is_empty()),
            agent = agent.as_deref(),
            "viewer admitted"
        );
    }

    pub(crate) fn counters(&self) -> &StreamCounters {
        &self.counters
    }

    /// The viewer, and where it is counted, for who bounds the sending of its parts itself.
    pub(crate) fn shared(&self) -> (Arc<ViewerState>, Arc<StreamCounters>) {
        (Arc::clone(&self.viewer), Arc::clone(&self.counters))
    }

    /// Records that sending a part begins.
    pub(crate) fn begin(&self, sent: &OutgoingPart<'_>, now: Instant) {
        let viewer = &*self.viewer;
        let add = |number: &AtomicU64, n: u64| number.fetch_add(n, Ordering::Relaxed);
        self.counters.parts.add_one();
        self.counters.sent_bytes.add(sent.bytes as u64);
        self.counters.skipped.add(sent.skipped);
        add(&viewer.sent, 1);
        add(&viewer.skipped, sent.skipped);
        add(&viewer.sent_bytes, sent.bytes as u64);
        let since_start = viewer.since_start(now);
        let before = viewer.begun.swap(since_start, Ordering::Relaxed);
        if before > 0 {
            let interval = since_start.saturating_sub(before);
            viewer.interval.add(Duration::from_nanos(interval));
        }
        // The age of a repeat says nothing about how the viewer keeps up.
        if sent.is_repeat {
            self.counters.keepalives.add_one();
        } else if !sent.frame.is_placeholder {
            let captured = sent.frame.stamp.monotonic();
            let age = now.into_std().saturating_duration_since(captured);
            viewer.age.store(age.as_nanos() as u64, Ordering::Relaxed);
            if !self.is_past {
                self.counters.ages.0.record(age);
            }
        }
        if self.is_past {
            // No number of a live frame.
            viewer.sending.store(u64::MAX, Ordering::Relaxed);
            return;
        }
        // Before the bookkeeping, which reads it.
        viewer.sending.store(sent.frame.seq, Ordering::Relaxed);
        self.table.take(
            sent.frame.seq,
            sent.held,
            sent.max_inflight_bytes,
            &self.counters,
        );
    }

    /// Records that the part has been handed over.
    pub(crate) fn done(&self) {
        self.viewer.sent_whole();
    }

    /// Records that the socket has taken no byte since this moment.
    pub(crate) fn blocks(&self, since: Instant) {
        self.viewer.blocks(since);
    }

    /// Whether the response has to end: another viewer replaced this one, or it was revoked.
    pub(crate) fn must_end(&self) -> bool {
        self.viewer.must_end()
    }

    /// When the response has to end because the viewer's grant does; `None` for never.
    pub(crate) fn granted_until(&self) -> Option<Instant> {
        self.viewer.granted_until()
    }

    /// Waits until the viewer's grant changes.
    pub(crate) async fn regranted(&self) {
        self.viewer.regranted.notified().await;
    }

    /// Waits until this viewer must be cut, even in the middle of a part: it holds the oldest of
    /// too many frames, was replaced, or was revoked.
    pub(crate) async fn cut(&self) {
        self.viewer.cut.notified().await;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let had_place = self.table.admitted().remove(&self.viewer);
        if had_place && let Some(total) = &self.total {
            total.of_viewers().give_back();
        }
        self.counters.viewers.down();
        let viewer = &*self.viewer;
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        debug!(
            stream = self.table.stream(),
            viewer = viewer.id,
            peer = %viewer.peer.unwrap_or_default(),
            sent = read(&viewer.sent),
            skipped = read(&viewer.skipped),
            "viewer gone"
        );
    }
}
