//! What a node says of itself and of the cluster.

use tokio::time::Instant;

use crate::{
    name::SharedName,
    node::{Node, Standing, lease::LeaseSession, stream::Claim, view::View},
};

impl Node {
    /// Until when the streams that are mine may be used.
    pub(crate) fn deadline(&self, now: Instant) -> Option<Instant> {
        if self.renewing
            && !self
                .faults
                .planted(|faults| faults.renewing_counts_as_renewed)
        {
            // A new lease says nothing of what is not claimed with it yet.
            return Some(self.promised_until(now).unwrap_or(now));
        }
        let session = self.session.as_ref()?;
        if session.recorded.is_none() {
            return Some(session.fence);
        }
        let held = self.promised_until(now);
        Some(held.map_or(session.fence, |held| held.max(session.fence)))
    }

    /// Until when the words of all other members allow to go on without the engine.
    pub(super) fn promised_until(&self, now: Instant) -> Option<Instant> {
        if !self.settings.hold {
            return None;
        }
        let silence = self.faults.planted(|faults| faults.silence_agrees);
        let others = self.view.members.keys();
        let others = others.filter(|name| **name != self.settings.name);
        self.hold.until(others, now, self.settings.lease, silence)
    }

    /// How this node stands to a stream.
    pub(crate) fn standing(&self, stream: &SharedName, now: Instant) -> Standing {
        if let Some(epoch) = self.open(stream, now) {
            return Standing::Mine { epoch };
        }
        let owner = self.view.owners.get(stream);
        if let Some(owner) = owner.filter(|owner| owner.node != self.settings.name) {
            return Standing::Theirs {
                node: owner.node.clone(),
                address: owner.address.clone(),
                epoch: owner.epoch,
            };
        }
        Standing::Nobody {
            next: self.next_owner(stream),
        }
    }

    /// The epoch in which this node may now be connected to a stream's camera.
    pub(crate) fn open(&self, stream: &SharedName, now: Instant) -> Option<u64> {
        let (Claim::Mine { epoch } | Claim::Renewing { epoch, .. }) =
            self.streams.get(stream)?.claim
        else {
            return None;
        };
        let unfenced = self.faults.planted(|faults| faults.no_fence);
        let within = self.deadline(now).is_some_and(|deadline| deadline > now);
        (within || unfenced).then_some(epoch)
    }

    /// Whether the engine has been silent for so long that it may be gone.
    pub(crate) fn suspects(&self, now: Instant) -> bool {
        let suspect = self.settings.suspect();
        self.heard.is_none_or(|heard| now >= heard + suspect)
    }

    /// Whether the node goes on beyond its lease.
    pub(crate) fn holds(&self, now: Instant) -> bool {
        let beyond = |session: &LeaseSession| session.fence <= now;
        let beyond = self.renewing || self.session.as_ref().is_some_and(beyond);
        beyond && self.deadline(now) > Some(now)
    }

    /// What is known of the cluster.
    pub(crate) fn view(&self) -> &View {
        &self.view
    }

    /// The streams that this node defines.
    pub(crate) fn defined(&self) -> impl Iterator<Item = &SharedName> {
        let defined = self.streams.iter().filter(|(_, state)| !state.removed);
        defined.map(|(name, _)| name)
    }

    /// Whether a node that is up is reached there.
    pub(crate) fn is_up(&self, address: &str) -> bool {
        let mut nodes = self.view.nodes.values();
        nodes.any(|node| node.record.address.as_str() == address)
    }

    /// How many nodes are up, as far as is known.
    pub(crate) fn nodes_up(&self) -> usize {
        self.view.nodes.len()
    }

    /// How many nodes belong to the cluster, as far as is known.
    pub(crate) fn members(&self) -> usize {
        self.view.members.len()
    }
}
