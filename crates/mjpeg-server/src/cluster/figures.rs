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
    pub(crate) self_fences: u64,
    /// Streams that other nodes read from this one now.
    pub(crate) edges: u64,
    /// What was not answered to other nodes with a stream, by reason.
    pub(crate) refused: [(&'static str, u64); 5],
    pub(crate) pulls: u64,
    /// Pulls that failed or ended, by reason.
    pub(crate) pull_failures: [(&'static str, u64); 4],
    /// Why cameras were taken over.
    pub(crate) moves: [(&'static str, u64); 6],
    pub(crate) stale_frames: u64,
    /// The engine's revisions have gone back, so nothing is claimed.
    pub(crate) is_rewound: bool,
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
    /// How old its newest frame was when another node sent it; `None` if it is not read from one.
    pub(crate) pull_age: Option<Duration>,
    /// Whether another node means something else by it.
    pub(crate) is_in_conflict: bool,
}
