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
pub(super) struct LinkPlaces {
    streams: Mutex<BTreeMap<String, SharedEntry>>,
    /// What runs the streams, once it does.
    running: OnceLock<(Manager, HttpOutlet)>,
}

/// A stream that the cluster shares.
pub(super) struct SharedEntry {
    pub(super) sharing: Sharing,
    /// Of its frames, over all connections.
    pub(super) order: FrameOrder,
    pub(super) ownership: watch::Receiver<Ownership>,
    /// Tries again as soon as another node owns it.
    pub(super) _following: OwnedTask,
}

impl LinkPlaces {
    pub(super) fn streams(&self) -> MutexGuard<'_, BTreeMap<String, SharedEntry>> {
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
    pub(super) id: LinkNodeId,
    pub(super) places: Arc<LinkPlaces>,
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

    fn hub_for(&self, _: &str, reader: &LinkNodeId, edges: &[LinkNodeId]) -> Option<LinkNodeId> {
        let cluster = self.cluster.get()?;
        let nodes = cluster.nodes();
        let site = |name: &str| {
            let mut up = nodes.iter().filter(|node| node.is_up);
            let node = up.find(|node| node.name.as_str() == name)?;
            node.labels.get(SITE).cloned()
        };
        site_hub(self.id.name(), reader, edges, site)
    }
}

/// The node that passes streams on at the site of `reader`, if that is another one than ours: the
/// first that has come from there and is up. So each stream goes once to each site.
fn site_hub(
    own: &str,
    reader: &LinkNodeId,
    edges: &[LinkNodeId],
    site: impl Fn(&str) -> Option<String>,
) -> Option<LinkNodeId> {
    let there = site(reader.name())?;
    if site(own)? == there {
        return None;
    }
    let at_site = |edge: &&LinkNodeId| site(edge.name()).as_ref() == Some(&there);
    edges.iter().find(at_site).cloned()
}

/// The label that names a node's site.
const SITE: &str = "site";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_node_of_another_site_passes_streams_on_there() {
        let node = |name: &str| LinkNodeId::new(name, "host:1").unwrap();
        // Named after their sites; one of `x` has none, or is down.
        let site = |name: &str| name.split_once('-').map(|(site, _)| site.to_owned());
        let hub = |reader: &str, edges: &[&str]| {
            let edges: Vec<_> = edges.iter().map(|name| node(name)).collect();
            let hub = site_hub("a-1", &node(reader), &edges, site);
            hub.map(|hub| hub.name().to_owned())
        };
        let edges = ["a-2", "c-1", "b-1", "b-2", "x"];
        assert_eq!(hub("b-3", &edges).as_deref(), Some("b-1"));
        assert_eq!(hub("c-2", &edges).as_deref(), Some("c-1"));
        assert_eq!(hub("d-1", &edges), None, "the first of its site");
        assert_eq!(hub("a-3", &edges), None, "the owner's own site");
        assert_eq!(hub("x", &edges), None, "without a site");
        assert_eq!(hub("b-3", &[]), None);
    }
}
