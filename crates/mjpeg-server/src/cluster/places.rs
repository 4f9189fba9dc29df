//! The streams that the cluster shares, as this node has them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use mjpeg_cluster::{
    LinkClient, LinkNode, LinkNodeId, LinkOutage, LinkPlace, LinkStream, Ownership,
    mjpeg_ingest::FrameOrder,
};
use mjpeg_manager::{HttpOutlet, Manager, StreamState};
use tokio::sync::watch;

use crate::{background::OwnedTask, config::plan::sharing::Sharing};

/// What a node says to others of its streams.
#[derive(Default)]
pub(super) struct Places {
    streams: Mutex<BTreeMap<String, Shared>>,
    /// What runs the streams, once it does.
    running: OnceLock<(Manager, HttpOutlet)>,
}

/// A stream that the cluster shares.
pub(super) struct Shared {
    pub(super) sharing: Sharing,
    /// Of its frames, over all connections.
    pub(super) order: FrameOrder,
    pub(super) ownership: watch::Receiver<Ownership>,
    /// Tries again as soon as another node owns it.
    pub(super) _following: OwnedTask,
}

impl Places {
    pub(super) fn streams(&self) -> MutexGuard<'_, BTreeMap<String, Shared>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.streams().keys().cloned().collect()
    }

    /// Names what runs the streams.
    pub(super) fn serve(&self, manager: Manager, http: HttpOutlet) {
        // There is one relay to a node.
        let _ = self.running.set((manager, http));
    }

    /// Lets a stream try again at once.
    pub(super) fn retry(&self, stream: &str) {
        if let Some((manager, _)) = self.running.get() {
            // One that does not run has nothing to try.
            let _ = manager.retry_now(stream);
        }
    }

    /// Who reads a stream; `None` if it is not shared.
    pub(super) fn ownership(&self, stream: &str) -> Option<Ownership> {
        let streams = self.streams();
        Some(streams.get(stream)?.ownership.borrow().clone())
    }

    /// The stream as it is on this node, if it runs.
    fn here(&self, stream: &str) -> Option<LinkStream> {
        let (manager, http) = self.running.get()?;
        let service = http.service(stream)?;
        let consumer = manager.observe(stream).ok()?;
        Some(LinkStream::new(service, consumer))
    }

    fn outage(&self, stream: &str) -> Option<LinkOutage> {
        let (manager, _) = self.running.get()?;
        let info = manager.get(stream).ok()?;
        let StreamState::Offline { reason, .. } = info.state else {
            return None;
        };
        let lasted = info.since.elapsed().unwrap_or_default();
        Some(LinkOutage::new(lasted, reason.to_string()))
    }
}

/// A node as the link sees it.
pub(super) struct LinkedNode {
    pub(super) places: Arc<Places>,
    pub(super) client: LinkClient,
    pub(super) cluster: Arc<OnceLock<mjpeg_cluster::Cluster>>,
}

impl LinkedNode {
    fn may_claim(&self) -> bool {
        let cluster = self.cluster.get();
        cluster.is_some_and(|cluster| cluster.stats().engine_up)
    }
}

impl LinkNode for LinkedNode {
    fn place(&self, stream: &str) -> LinkPlace {
        let Some(ownership) = self.places.ownership(stream) else {
            return LinkPlace::Unknown;
        };
        match ownership {
            Ownership::Mine(tenure) => match self.places.here(stream) {
                Some(here) => {
                    let here = here.with_epoch(tenure.epoch());
                    LinkPlace::Here(here.with_outage(self.places.outage(stream)))
                }
                None => LinkPlace::Nobody,
            },
            Ownership::Theirs { node, address, .. } => {
                let Ok(owner) = LinkNodeId::new(node.as_str(), address.as_str()) else {
                    return LinkPlace::Nobody;
                };
                let relayed = self.client.pulled(stream).and_then(|pull| {
                    let here = self.places.here(stream)?;
                    Some(here.with_depth(pull.depth))
                });
                LinkPlace::Elsewhere { owner, relayed }
            }
            // It is this node's to claim: who asks makes it do so, unless it cannot.
            Ownership::Nobody { next: None, .. } if self.may_claim() => {
                match self.places.here(stream) {
                    Some(here) => LinkPlace::Here(here),
                    None => LinkPlace::Nobody,
                }
            }
            _ => LinkPlace::Nobody,
        }
    }

    fn reaches_engine(&self) -> bool {
        let cluster = self.cluster.get();
        cluster.is_some_and(mjpeg_cluster::Cluster::reaches_engine)
    }

    fn hub(&self, stream: &str, edges: &[LinkNodeId]) -> Option<LinkNodeId> {
        // The same one for a stream as long as it is there, and another one for another stream.
        let turn: usize = stream.bytes().map(usize::from).sum();
        edges.get(turn.checked_rem(edges.len())?).cloned()
    }
}
