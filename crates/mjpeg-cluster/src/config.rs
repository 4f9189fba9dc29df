//! What a node is, and how long its claims last.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    name::{NodeName, PeerAddress},
    node::settings::{NodeFacts, NodeSettings},
};

/// Settings of a node in a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterConfig {
    node: NodeName,
    address: PeerAddress,
    labels: BTreeMap<String, String>,
    capacity: u32,
    lease: Duration,
    engine_loss: EngineLoss,
}

/// What an owner does when it does not reach the engine any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum EngineLoss {
    /// It goes on as long as *every* other member of the cluster answers directly that it does not
    /// reach the engine either. The default.
    #[default]
    Hold,
    /// It closes the connections to its cameras.
    Drop,
}

impl ClusterConfig {
    /// Makes the settings of a node that others reach at this address.
    pub fn new(node: NodeName, address: PeerAddress) -> Self {
        Self {
            node,
            address,
            labels: BTreeMap::new(),
            capacity: 10_000,
            lease: Duration::from_secs(3),
            engine_loss: EngineLoss::default(),
        }
    }

    /// Sets how long the engine keeps the claims of a node that says nothing. Default 3 s, bounds
    /// 1 s to 60 s.
    ///
    /// A camera of a node that dies is dark for about this long. A node that does not reach the
    /// engine for four fifths of it gives up its cameras.
    ///
    /// # Errors
    ///
    /// If it is out of bounds. The caller is at fault.
    pub fn with_lease(mut self, lease: Duration) -> Result<Self, InvalidCluster> {
        if !(Duration::from_secs(1)..=Duration::from_secs(60)).contains(&lease) {
            return Err(InvalidCluster::Lease { lease });
        }
        self.lease = lease;
        Ok(self)
    }

    /// Sets what an owner does when it does not reach the engine. Default [`EngineLoss::Hold`].
    #[must_use]
    pub fn with_engine_loss(mut self, engine_loss: EngineLoss) -> Self {
        self.engine_loss = engine_loss;
        self
    }

    /// Sets properties of the node that streams may require. Default: none.
    #[must_use]
    pub fn with_labels(mut self, labels: BTreeMap<String, String>) -> Self {
        self.labels = labels;
        self
    }

    /// Sets how many streams the node may own. Default 10,000; with 0 it only reads from others.
    #[must_use]
    pub fn with_capacity(mut self, streams: u32) -> Self {
        self.capacity = streams;
        self
    }

    /// The name of the node.
    pub fn node(&self) -> &NodeName {
        &self.node
    }

    /// How long the engine keeps the claims of a node that says nothing.
    pub fn lease(&self) -> Duration {
        self.lease
    }

    pub(crate) fn settings(&self) -> NodeSettings {
        NodeSettings::new(NodeFacts {
            name: self.node.clone(),
            address: self.address.clone(),
            labels: self.labels.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            capacity: self.capacity,
            lease: self.lease,
            hold: self.engine_loss == EngineLoss::Hold,
        })
    }
}

/// Why settings were refused. The caller is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCluster {
    /// The lease is out of bounds.
    #[error("lease = {lease:?} is not within 1 s and 60 s")]
    Lease {
        /// The lease.
        lease: Duration,
    },
}
