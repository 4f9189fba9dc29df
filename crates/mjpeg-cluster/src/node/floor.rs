//! An engine whose revisions have gone back, as after a backup was restored.
//!
//! Epochs are revisions, and frames of an epoch that is not greater than those before are left out
//! everywhere. So nothing is claimed until the revisions have passed all that any node has seen.

use tokio::time::Instant;

use crate::{
    engine::EngineImage,
    node::{Node, NodeAction, stream::Claim, view::View},
};

impl Node {
    /// Takes what was read of an engine that has forgotten what this node knows of it. `seen` is
    /// the latest epoch of which the node has had a frame.
    pub(super) fn rewind(&mut self, image: EngineImage, seen: u64, now: Instant) {
        let claims = self.streams.values().map(|state| match state.claim {
            Claim::Mine { epoch }
            | Claim::Renewing { epoch, .. }
            | Claim::Closing { epoch, .. }
            | Claim::Releasing { epoch, .. } => epoch.max(state.done),
            Claim::Free | Claim::Claiming { .. } => state.done,
        });
        let known = claims.chain([self.view.revision.unwrap_or(0), seen]).max();
        self.floor = self.floor.max(known.unwrap_or(0));
        self.lapse(now);
        let (revision, floor) = (image.revision, self.floor);
        self.actions
            .push_back(NodeAction::Rewound { revision, floor });
        self.view = View::default();
        self.view.replace(image);
    }

    /// The epoch that a claim must be later than and would not be, if so.
    pub(crate) fn floor(&self) -> Option<u64> {
        let revision = self.view.revision?;
        let others = self.view.nodes.values().map(|node| node.record.floor);
        let floor = others.chain([self.floor]).max()?;
        (floor > revision).then_some(floor)
    }
}
