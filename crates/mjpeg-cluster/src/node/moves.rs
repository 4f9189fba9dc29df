//! Streams and nodes that an operator moves: wishes in the engine, which the nodes concerned heed.
//!
//! A wish decides nothing by itself. The owner gives its claim back, and the others let the wished
//! node claim first. The claim, whoever makes it, deletes the wish.

use tokio::time::{Duration, Instant};

use crate::{
    engine::{
        lease::LeaseId,
        record::{DrainRecord, EngineKey, EngineValue, MoveRecord},
        transaction::{KeyCondition, KeyEdit, Transaction},
    },
    name::{NodeName, SharedName},
    node::{Call, Node, What, reason::ClaimReason, stream::NodeStream},
    placement::may_own,
};

/// Why a stream cannot be moved to a node. The caller is at fault, unless a variant says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidMove {
    /// The node that was asked does not define the stream.
    #[error("this node defines no such stream")]
    UnknownStream,
    /// No member of the cluster has this name.
    #[error("no member of the cluster has this name")]
    UnknownNode,
    /// The node is a member, and down.
    #[error("the node is down")]
    Down,
    /// The node takes no streams at present.
    #[error("the node is draining")]
    Draining,
    /// The node claims nothing for now.
    #[error(
        "the node claims no stream until it has reached the engine for the length of a lease; \
         try again in some seconds"
    )]
    Waiting,
    /// Not all members know the node yet.
    #[error("the node has just joined, and not all members know it yet")]
    NotAdmitted,
    /// The node does not define the stream, or means something else by it.
    #[error("the node does not define the stream as this one does")]
    NotDefined,
    /// The node lacks a label that the stream requires, or the stream is bound to another node.
    #[error("the node lacks what the stream requires")]
    Unfit,
    /// The node owns as many streams as it may.
    #[error("the node owns as many streams as it may (capacity)")]
    Full,
    /// The node owns the stream already.
    #[error("the node owns the stream already")]
    AlreadyThere,
    /// The node that was asked does not reach the engine. The network or the engine is at fault.
    #[error("this node does not reach the engine")]
    NoEngine,
}

impl Node {
    /// Moves a stream to a node: its owner gives it up, and that node is the first to claim it.
    pub(crate) fn move_to(
        &mut self,
        stream: &SharedName,
        to: &NodeName,
        now: Instant,
    ) -> Result<(), InvalidMove> {
        self.check_deadline(now);
        let lease = self.check_move(stream, to)?;
        let record = MoveRecord { to: to.clone() };
        let put = KeyEdit::Put(EngineValue::Move(stream.clone(), record), Some(lease));
        let transaction = Transaction::new().then(put);
        self.call(What::Move, Call::Commit(transaction));
        self.wishes.insert(stream.clone(), now + WISH_LASTS);
        Ok(())
    }

    fn check_move(&self, stream: &SharedName, to: &NodeName) -> Result<LeaseId, InvalidMove> {
        let state = self.streams.get(stream).filter(|state| !state.removed);
        let spec = &state.ok_or(InvalidMove::UnknownStream)?.spec;
        let member = self.view.members.get(to).ok_or(InvalidMove::UnknownNode)?;
        let node = self.view.candidate(to).ok_or(InvalidMove::Down)?;
        let owner = self.view.owners.get(stream);
        let defines = node.record.streams.get(stream) == Some(&spec.digest);
        let is_full = node.owned >= node.record.capacity as usize;
        let problem = if owner.is_some_and(|owner| owner.node == *to) {
            InvalidMove::AlreadyThere
        } else if node.record.draining || self.view.drains.contains(to) {
            InvalidMove::Draining
        } else if node.record.waiting {
            InvalidMove::Waiting
        } else if !member.1.admitted {
            InvalidMove::NotAdmitted
        } else if !defines {
            InvalidMove::NotDefined
        } else if !may_own(to, node.record, stream, spec) {
            InvalidMove::Unfit
        } else if is_full {
            InvalidMove::Full
        } else {
            let settled = self.settled().filter(|_| !self.suspects(self.now));
            return settled.map(|(lease, _)| lease).ok_or(InvalidMove::NoEngine);
        };
        Err(problem)
    }

    /// The node that is to own a stream next, and since which revision, if it can.
    pub(super) fn wished(&self, name: &SharedName, state: &NodeStream) -> Option<(u64, &NodeName)> {
        let (since, to) = self.view.moves.get(name)?;
        let node = self.view.candidate(to)?;
        let can = !node.record.waiting
            && node.owned < node.record.capacity as usize
            && !self.view.drains.contains(to)
            && may_own(to, node.record, name, &state.spec);
        can.then_some((*since, to))
    }

    /// Whether a stream is to be given to another node, since after this claim.
    pub(super) fn is_wished_away(&self, name: &SharedName, state: &NodeStream, epoch: u64) -> bool {
        let later = |(since, to): &(u64, &NodeName)| *since > epoch && **to != self.settings.name;
        self.wished(name, state).as_ref().is_some_and(later)
    }

    /// Withdraws what was wished for here and has not come about.
    pub(super) fn keep_wishes(&mut self, now: Instant) {
        let over = self.wishes.iter().filter(|(_, until)| **until <= now);
        let over: Vec<_> = over.map(|(stream, _)| stream.clone()).collect();
        for stream in over {
            self.wishes.remove(&stream);
            let Some((since, _)) = self.view.moves.get(&stream) else {
                continue;
            };
            let key = EngineKey::Move(stream);
            let transaction = Transaction::new()
                .when(KeyCondition::Created(key.clone(), *since))
                .then(KeyEdit::Delete(key));
            self.call(What::Move, Call::Commit(transaction));
        }
    }

    /// Lets a member give all its streams up, also after a restart, until this is withdrawn.
    /// Returns whether it is a member.
    pub(crate) fn drain_node(&mut self, name: &NodeName, drained: bool, now: Instant) -> bool {
        self.check_deadline(now);
        if !self.view.members.contains_key(name) {
            return false;
        }
        let edit = match drained {
            true => KeyEdit::Put(EngineValue::Drain(name.clone(), DrainRecord {}), None),
            false => KeyEdit::Delete(EngineKey::Drain(name.clone())),
        };
        self.call(What::Move, Call::Commit(Transaction::new().then(edit)));
        true
    }

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

    /// Whether the node gives all its streams up and takes no others.
    pub(super) fn is_draining(&self) -> bool {
        self.draining || self.view.drains.contains(&self.settings.name)
    }
}

/// How long a wish is kept that nobody fulfils.
const WISH_LASTS: Duration = Duration::from_secs(10);
