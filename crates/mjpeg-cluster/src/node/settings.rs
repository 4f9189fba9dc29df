//! What a node is, and the times that follow from the length of its lease.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::name::{NodeName, PeerAddress};

/// What does not change while a node runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NodeSettings(Arc<NodeFacts>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NodeFacts {
    pub(crate) name: NodeName,
    pub(crate) address: PeerAddress,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) version: String,
    pub(crate) capacity: u32,
    /// How long the engine keeps a node that says nothing.
    pub(crate) lease: Duration,
    /// Whether to go on without the engine if all others are without it too.
    pub(crate) hold: bool,
}

impl NodeSettings {
    pub(crate) fn new(fixed: NodeFacts) -> Self {
        Self(Arc::new(fixed))
    }

    /// From keepalive to keepalive.
    pub(crate) fn renew(&self) -> Duration {
        self.lease / 5
    }

    /// Without a word from the engine for this long, a node says that it cannot reach it.
    pub(crate) fn suspect(&self) -> Duration {
        self.lease * 2 / 5
    }

    /// From question to question to the other members, while the engine is silent.
    pub(crate) fn ask(&self) -> Duration {
        self.lease / 10
    }

    /// How long after a failure the same is tried again.
    pub(crate) fn retry(&self) -> Duration {
        self.lease / 10
    }

    /// How long the next node in order waits before it claims what nobody has claimed.
    pub(crate) fn turn(&self) -> Duration {
        self.lease / 2
    }

    /// How long a camera's connection may take to close, at least, before its claim is given back.
    pub(crate) fn closing(&self) -> Duration {
        self.lease / 5
    }
}

/// How long a lease may be used after its last keepalive that was answered had been sent. The rest
/// is for closing the camera's connection.
pub(crate) fn fence_after(lease: Duration) -> Duration {
    lease - lease / 5
}

impl std::ops::Deref for NodeSettings {
    type Target = NodeFacts;

    fn deref(&self) -> &NodeFacts {
        &self.0
    }
}

#[cfg(test)]
impl std::hash::Hash for NodeSettings {
    /// They are the same in all states that are compared.
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}
