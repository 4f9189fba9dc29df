//! Why a node claims a stream.

use crate::{
    name::SharedName,
    node::{Node, stream::NodeStream},
};

/// Why a node has claimed a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ClaimReason {
    Unowned,
    OwnerGone,
    OwnerDrained,
    GivenUp,
    Requested,
    Retaken,
}

impl Node {
    /// Why this node is about to claim a stream that nobody owns.
    pub(super) fn reason(&self, name: &SharedName, state: &NodeStream) -> ClaimReason {
        let is_wished = self.wished(name, state).is_some();
        let Some(before) = self.view.before.0.get(name) else {
            return ClaimReason::Unowned;
        };
        let record = self.view.nodes.get(before).map(|node| &node.record);
        match record {
            _ if is_wished => ClaimReason::Requested,
            _ if *before == self.settings.name => ClaimReason::Retaken,
            None => ClaimReason::OwnerGone,
            Some(record) if record.draining => ClaimReason::OwnerDrained,
            Some(_) => ClaimReason::GivenUp,
        }
    }
}
