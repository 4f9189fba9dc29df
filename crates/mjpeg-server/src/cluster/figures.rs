//! What is counted of a cluster, for the metrics.

use std::time::Duration;

/// A reading of what a node has counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClusterFigures {
    pub(crate) is_engine_up: bool,
    pub(crate) holds: bool,
    pub(crate) lease_remaining: Duration,
    pub(crate) nodes: usize,
    pub(crate) members: usize,
    pub(crate) claims: u64,
    pub(crate) self_fences: u64,
    /// Streams that other nodes read from this one now.
    pub(crate) edges: u64,
    /// What was not answered to other nodes with a stream, by reason.
    pub(crate) refused: [(&'static str, u64); 5],
    pub(crate) pulls: u64,
    /// Pulls that failed or ended, by reason.
    pub(crate) pull_failures: [(&'static str, u64); 3],
    pub(crate) streams: Vec<SharedStreamFigures>,
}

/// A reading of one stream that the cluster shares.
#[derive(Clone, Debug)]
pub(crate) struct SharedStreamFigures {
    pub(crate) name: String,
    /// Whether this node reads its camera.
    pub(crate) is_owned: bool,
    /// Of the node that does; 0 if none does.
    pub(crate) epoch: u64,
    /// Whether it is read from another node now.
    pub(crate) is_pulled: bool,
    /// Whether another node means something else by it.
    pub(crate) is_in_conflict: bool,
}
