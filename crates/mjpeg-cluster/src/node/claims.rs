//! Which streams the node claims, keeps and gives back.

use tokio::time::Instant;

use crate::{
    engine::{
        lease::LeaseId,
        record::{EngineKey, EngineValue, OwnerRecord},
        transaction::{KeyCondition, KeyEdit, Transaction},
    },
    name::{NodeName, PeerAddress, SharedName},
    node::{
        Call, Node, NodeAction, What,
        stream::{Claim, DIAL_PATIENCE, NodeStream, UNFIT_FOR},
    },
    placement::{self, may_own},
};

impl Node {
    pub(super) fn keep_streams(&mut self, now: Instant) {
        let names: Vec<_> = self.streams.keys().cloned().collect();
        self.keep_only(&names, now);
    }

    pub(super) fn keep_only(&mut self, names: &[SharedName], now: Instant) {
        let mut load = self.streams.values().filter(|state| state.counts()).count();
        for name in names {
            self.keep_stream(name, &mut load, now);
            let is_over = |state: &NodeStream| state.removed && !state.counts();
            if self.streams.get(name).is_some_and(is_over) {
                self.streams.remove(name);
            }
        }
        if self.renewing {
            let renews = |state: &NodeStream| matches!(state.claim, Claim::Renewing { .. });
            self.renewing = self.streams.values().any(renews);
        }
    }

    /// Does what is due for one stream. `load` counts those that the node has to do with.
    fn keep_stream(&mut self, name: &SharedName, load: &mut usize, now: Instant) {
        let Some(state) = self.streams.get(name) else {
            return;
        };
        match state.claim {
            Claim::Mine { epoch } if self.is_taken(name, epoch) => {
                self.set(name, Claim::Free);
            }
            Claim::Mine { epoch } => {
                if self.should_give_up(name, state, epoch, now) {
                    let until = self.closing_until(now);
                    self.set(name, Claim::Closing { epoch, until });
                }
            }
            Claim::Closing { epoch, until } if now >= until => self.release(name, epoch),
            Claim::Renewing { epoch, op: None } => self.renew(name, epoch),
            Claim::Renewing { .. }
            | Claim::Closing { .. }
            | Claim::Claiming { .. }
            | Claim::Releasing { .. } => {}
            Claim::Free => {
                if self.keep_free(name, *load, now) {
                    *load += 1;
                }
            }
        }
    }

    /// The tenure has ended by itself: the claim is given back.
    pub(crate) fn ended(&mut self, name: &SharedName, now: Instant) {
        let claim = self.streams.get(name).map(|state| state.claim);
        if let Some(Claim::Mine { epoch } | Claim::Renewing { epoch, .. }) = claim {
            let until = self.closing_until(now);
            self.set(name, Claim::Closing { epoch, until });
        }
    }

    /// Until when to wait for a camera's connection that does not close: the claim would not have
    /// lasted longer without the engine.
    fn closing_until(&self, now: Instant) -> Instant {
        let least = now + self.settings.closing();
        self.deadline(now)
            .map_or(least, |deadline| deadline.max(least))
    }

    /// The camera's connection is closed: the claim can be given back.
    pub(crate) fn closed(&mut self, name: &SharedName, epoch: u64, now: Instant) {
        self.check_deadline(now);
        let claim = self.streams.get(name).map(|state| state.claim);
        if let Some(Claim::Closing { epoch: closing, .. }) = claim
            && closing == epoch
        {
            self.release(name, epoch);
        }
        self.step(now);
    }

    /// Whether the engine has said that a stream is not mine any more: somebody has deleted the
    /// key, and it was not this node.
    fn is_taken(&self, name: &SharedName, epoch: u64) -> bool {
        let known = self.view.revision.is_some_and(|revision| revision >= epoch);
        let owner = self.view.owners.get(name);
        known && owner.is_none_or(|owner| owner.epoch != epoch)
    }

    fn should_give_up(
        &self,
        name: &SharedName,
        state: &NodeStream,
        epoch: u64,
        now: Instant,
    ) -> bool {
        let moved = state.unfit_until.is_some_and(|until| now < until);
        let failing = state
            .failing
            .is_some_and(|since| now >= since + DIAL_PATIENCE);
        let spec = &state.spec;
        let of_another = spec
            .pinned
            .as_ref()
            .is_some_and(|pinned| *pinned != self.settings.name);
        let labels = &self.settings.labels;
        let unfit = !spec
            .requires
            .iter()
            .all(|(key, value)| labels.get(key) == Some(value));
        let hopeless = failing && self.another_can(name, state);
        state.removed
            || (self.is_draining() && !self.heirs_wait(name, state))
            || self.is_wished_away(name, state, epoch)
            || moved
            || of_another
            || unfit
            || hopeless
            || !state.is_wanted(now)
    }

    fn another_can(&self, name: &SharedName, state: &NodeStream) -> bool {
        self.heirs(name, state).next().is_some()
    }

    /// Whether other nodes may own a stream, none of which claims anything now: given up, its
    /// pictures would be away until one does.
    fn heirs_wait(&self, name: &SharedName, state: &NodeStream) -> bool {
        let mut heirs = self.heirs(name, state).peekable();
        heirs.peek().is_some() && heirs.all(|node| node.record.waiting)
    }

    /// The other nodes that may own a stream.
    fn heirs<'a>(
        &'a self,
        name: &'a SharedName,
        state: &'a NodeStream,
    ) -> impl Iterator<Item = placement::Candidate<'a>> {
        self.view.candidates().filter(|node| {
            *node.name != self.settings.name
                && node.owned < node.record.capacity as usize
                && !self.view.drains.contains(node.name)
                && may_own(node.name, node.record, name, &state.spec)
        })
    }

    /// Claims a stream that nobody owns, when it is this node's turn. Returns whether it does.
    fn keep_free(&mut self, name: &SharedName, load: usize, now: Instant) -> bool {
        let Some((lease, created)) = self.settled() else {
            return false;
        };
        let Some(state) = self.streams.get_mut(name) else {
            return false;
        };
        if state.retry_at.is_some_and(|at| now < at) {
            return false;
        }
        state.retry_at = None;
        if let Some(owner) = self.view.owners.get(name) {
            state.vacant = None;
            state.turn_at = None;
            let (node, epoch) = (owner.node.clone(), owner.epoch);
            let mine = node == self.settings.name;
            if mine && self.faults.planted(|faults| faults.resume_from_view) {
                self.set(name, Claim::Mine { epoch });
            } else if mine && owner.lease == Some(lease) && epoch > state.done {
                // A claim whose answer was lost. It is given back, not used.
                self.release(name, epoch);
            }
            return false;
        }
        let vacant = *state.vacant.get_or_insert(now);
        let place = self.place(name, load, now);
        let turn_at = place.map(|place| vacant + self.settings.turn() * place as u32);
        if let Some(state) = self.streams.get_mut(name) {
            state.turn_at = turn_at;
        }
        let is_due = turn_at.is_some_and(|at| now >= at);
        if is_due {
            self.claim(name, lease, created);
        }
        is_due
    }

    /// The node's lease and the revision of its record, if it may claim anything with them.
    pub(super) fn settled(&self) -> Option<(LeaseId, u64)> {
        let session = self.session.as_ref()?;
        let recorded = session.recorded.as_ref()?;
        (session.fence > self.now).then_some((session.lease, recorded.created))
    }

    /// The node's place in the order of those that are to claim a stream. None if it must not.
    fn place(&self, name: &SharedName, load: usize, now: Instant) -> Option<usize> {
        let state = self.streams.get(name)?;
        let (_, member) = self.view.members.get(&self.settings.name)?;
        let unadmitted = self.faults.planted(|faults| faults.unadmitted_claims);
        let broken = self.faults.planted(|faults| faults.broken_promise);
        let unfit = state.unfit_until.is_some_and(|until| now < until);
        if self.is_draining()
            || self.floor().is_some()
            || state.removed
            || !state.is_wanted(now)
            || !(member.admitted || unadmitted)
            || (self.is_waiting() && !broken)
            || load >= self.settings.capacity as usize
        {
            return None;
        }
        let (_, digest) = placement::reference(name, None, self.view.candidates())?;
        if digest != state.spec.digest {
            return None;
        }
        let nodes = self.view.candidates();
        let place = placement::place_of(&self.settings.name, name, &state.spec, nodes)?;
        match self.wished(name, state) {
            Some((_, to)) if *to == self.settings.name => Some(0),
            Some(_) => Some(place + 1),
            // Who has just given it up comes last, if no other takes it.
            None if unfit => Some(self.view.nodes.len()),
            None => Some(place),
        }
    }

    /// The earliest time at which this node may claim. `None` if no other node could rely on its
    /// promise.
    pub(super) fn claims_count_from(&self) -> Option<Instant> {
        let mut members = self.view.members.keys();
        let others = members.any(|name| *name != self.settings.name);
        others.then_some(self.claims_from)
    }

    /// Whether this node claims nothing for now.
    pub(super) fn is_waiting(&self) -> bool {
        self.claims_count_from().is_some_and(|from| self.now < from)
    }

    fn claim(&mut self, name: &SharedName, lease: LeaseId, created: u64) {
        let (Some(transaction), Some(state)) =
            (self.claim_of(name, lease, created), self.streams.get(name))
        else {
            return;
        };
        let claim = What::Claim(name.clone(), self.reason(name, state));
        let op = self.call(claim, Call::Commit(transaction));
        if let Some(state) = self.streams.get_mut(name) {
            state.unfit_until = None;
        }
        self.set(name, Claim::Claiming { op });
    }

    /// The transaction that claims a stream, if the node is a member and nobody owns the stream.
    pub(super) fn claim_of(
        &self,
        name: &SharedName,
        lease: LeaseId,
        created: u64,
    ) -> Option<Transaction> {
        let node = self.settings.name.clone();
        let (joined, _) = self.view.members.get(&node)?;
        let owner = OwnerRecord {
            node: node.clone(),
            address: self.settings.address.clone(),
        };
        let transaction = Transaction::new()
            .when(KeyCondition::Absent(EngineKey::Owner(name.clone())))
            .when(KeyCondition::Created(
                EngineKey::Node(node.clone()),
                created,
            ))
            .when(KeyCondition::Created(EngineKey::Member(node), *joined))
            .then(KeyEdit::Put(
                EngineValue::Owner(name.clone(), owner),
                Some(lease),
            ))
            // Whoever claims it: what was wished for is over.
            .then(KeyEdit::Delete(EngineKey::Move(name.clone())));
        Some(transaction)
    }

    /// The transaction that gives a claim back, and nobody else's.
    pub(super) fn release_of(&self, name: &SharedName, epoch: u64) -> Transaction {
        let key = EngineKey::Owner(name.clone());
        let transaction = Transaction::new().then(KeyEdit::Delete(key.clone()));
        if self.faults.planted(|faults| faults.release_without_compare) {
            return transaction;
        }
        transaction.when(KeyCondition::Created(key, epoch))
    }

    pub(super) fn set(&mut self, name: &SharedName, claim: Claim) {
        let now = self.now;
        if let Some(state) = self.streams.get_mut(name) {
            if matches!(claim, Claim::Closing { .. }) && state.failing.take().is_some() {
                state.unfit_until.get_or_insert(now + UNFIT_FOR);
            }
            state.claim = claim;
            self.actions.push_back(NodeAction::Changed(name.clone()));
        }
    }

    /// Another node that is the first to claim a stream, as it seems.
    pub(super) fn next_owner(&self, name: &SharedName) -> Option<(NodeName, PeerAddress)> {
        let state = self.streams.get(name)?;
        let wished = self.wished(name, state).map(|(_, to)| to);
        let order = || placement::first(name, &state.spec, self.view.candidates());
        let first = wished.or_else(order)?;
        let node = self.view.nodes.get(first)?;
        (*first != self.settings.name).then(|| (first.clone(), node.record.address.clone()))
    }

    /// Another node that means something else by a stream, and came first: this one may not own it.
    pub(crate) fn conflict(&self, name: &SharedName) -> Option<NodeName> {
        let own = self.streams.get(name)?.spec.digest;
        let owner = self.view.owners.get(name).map(|owner| &owner.node);
        let (node, digest) = placement::reference(name, owner, self.view.candidates())?;
        (digest != own && *node != self.settings.name).then(|| node.clone())
    }

    /// Whether the node has to do with no camera.
    pub(crate) fn is_idle(&self) -> bool {
        !self.streams.values().any(NodeStream::counts)
    }
}
