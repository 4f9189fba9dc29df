//! The nodes of a cluster and the owners of its streams, as one of them knows them.

use std::collections::BTreeMap;

use crate::{
    name::{NodeName, PeerAddress, SharedName},
    node::Node,
};

/// A member of a cluster, as another one knows it: see [`Cluster::nodes`](crate::Cluster::nodes).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterNode {
    /// Its name.
    pub name: NodeName,
    /// Where other nodes reach it, or did when it was up.
    pub address: PeerAddress,
    /// Whether it is up.
    pub is_up: bool,
    /// Whether it may own streams: all members have known it once.
    pub is_admitted: bool,
    /// Whether it gives its streams up and takes no others.
    pub is_draining: bool,
    /// Whether it claims nothing for now: it has started, or was without the engine, less than a
    /// lease ago.
    pub is_waiting: bool,
    /// The version of its program; empty while it is down.
    pub version: String,
    /// Its properties that streams may require; none while it is down.
    pub labels: BTreeMap<String, String>,
    /// How many streams it may own; 0 while it is down.
    pub capacity: u32,
    /// How many it defines.
    pub defines: usize,
    /// How many it owns.
    pub owned: usize,
}

/// Who owns a stream: see [`Cluster::owners`](crate::Cluster::owners).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamOwner {
    /// The node.
    pub node: NodeName,
    /// The epoch in which it owns the stream.
    pub epoch: u64,
}

impl Node {
    /// All members.
    pub(crate) fn listed(&self) -> Vec<ClusterNode> {
        let view = self.view();
        let members = view.members.iter();
        members
            .map(|(name, (_, member))| {
                let record = view.nodes.get(name).map(|node| &node.record);
                let drained = view.drains.contains(name);
                ClusterNode {
                    name: name.clone(),
                    address: record
                        .map_or(&member.address, |record| &record.address)
                        .clone(),
                    is_up: record.is_some(),
                    is_admitted: member.admitted,
                    is_draining: drained || record.is_some_and(|record| record.draining),
                    is_waiting: record.is_some_and(|record| record.waiting),
                    version: record.map_or_else(String::new, |record| record.version.clone()),
                    labels: record
                        .map(|record| record.labels.clone())
                        .unwrap_or_default(),
                    capacity: record.map_or(0, |record| record.capacity),
                    defines: record.map_or(0, |record| record.streams.len()),
                    owned: view.owned(name),
                }
            })
            .collect()
    }

    /// All streams that a node which is up defines, and their owners.
    pub(crate) fn owners(&self) -> BTreeMap<SharedName, Option<StreamOwner>> {
        let view = self.view();
        let defined = view
            .nodes
            .values()
            .flat_map(|node| node.record.streams.keys());
        let streams = defined.chain(self.defined()).chain(view.owners.keys());
        let owner = |stream: &SharedName| {
            let owner = view.owners.get(stream)?;
            Some(StreamOwner {
                node: owner.node.clone(),
                epoch: owner.epoch,
            })
        };
        streams
            .map(|stream| (stream.clone(), owner(stream)))
            .collect()
    }
}
