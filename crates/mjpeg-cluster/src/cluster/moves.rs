//! How often streams have come to a node, and why.

use crate::node::reason::ClaimReason;

/// Why a node has claimed streams, and how often: see
/// [`ClusterStats::moves`](crate::ClusterStats::moves).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterMoves {
    /// Nobody had owned the stream, as far as the node knew.
    pub unowned: u64,
    /// The owner before was gone: its lease had ended.
    pub owner_gone: u64,
    /// The owner before was draining.
    pub owner_drained: u64,
    /// The owner before has given it up, such as because it could not dial the camera.
    pub given_up: u64,
    /// Somebody has asked for it ([`Cluster::move_to`](crate::Cluster::move_to)).
    pub requested: u64,
    /// The node has had it before, and nobody between.
    pub retaken: u64,
}

impl ClusterMoves {
    pub(crate) fn count(&mut self, reason: ClaimReason) {
        let counter = match reason {
            ClaimReason::Unowned => &mut self.unowned,
            ClaimReason::OwnerGone => &mut self.owner_gone,
            ClaimReason::OwnerDrained => &mut self.owner_drained,
            ClaimReason::GivenUp => &mut self.given_up,
            ClaimReason::Requested => &mut self.requested,
            ClaimReason::Retaken => &mut self.retaken,
        };
        *counter += 1;
    }
}
