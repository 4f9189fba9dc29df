//! One node of a cluster, as decisions alone: time, answers of the engine and of other nodes, and
//! changes of keys come in; requests and questions go out. It waits for nothing and has no clock.
//!
//! Two things are never guessed. A stream is mine only after a claim that the engine has answered,
//! and only until the [deadline](Node::deadline). What the [view](view::View) says comes too late
//! to decide that.

mod answers;
mod claims;
mod faults;
mod floor;
mod hold;
mod lease;
#[cfg(test)]
mod model;
pub(crate) mod moves;
pub(crate) mod reason;
mod session;
pub(crate) mod settings;
mod stream;
pub(crate) mod view;

use std::collections::{BTreeMap, VecDeque};

use tokio::time::Instant;

use crate::{
    engine::{
        EngineChanges, EngineImage,
        lease::LeaseId,
        record::NodeRecord,
        transaction::{CommitVerdict, Transaction},
    },
    name::{NodeName, PeerAddress, SharedName},
    node::{
        faults::Mistakes,
        hold::Hold,
        lease::LeaseSession,
        reason::ClaimReason,
        settings::NodeSettings,
        stream::{Claim, NodeStream, UNFIT_FOR},
        view::View,
    },
    spec::SharedStream,
};

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub(crate) struct Node {
    settings: NodeSettings,
    faults: Mistakes,
    view: View,
    session: Option<LeaseSession>,
    streams: BTreeMap<SharedName, NodeStream>,
    pending: BTreeMap<u64, Pending>,
    next_op: u64,
    /// When the engine has answered last.
    heard: Option<Instant>,
    /// The next try of what concerns the node as a whole.
    retry_at: Instant,
    /// Nothing is claimed before this, because others may count on it.
    claims_from: Instant,
    draining: bool,
    /// Moves that were asked for here, and until when.
    wishes: BTreeMap<SharedName, Instant>,
    /// The latest epoch that was seen before the engine's revisions went back.
    floor: u64,
    hold: Hold,
    actions: VecDeque<NodeAction>,
    /// The latest time that was told.
    now: Instant,
}

/// What a node wants done. Each may take its time, and none may delay another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum NodeAction {
    /// Call the engine, and tell the answer.
    Call { op: u64, call: Call },
    /// Ask a member whether it reaches the engine, and tell the answer.
    Ask { op: u64, address: PeerAddress },
    /// The ownership of this stream may have changed.
    Changed(SharedName),
    /// The node has claimed a stream, for this reason.
    Claimed(ClaimReason),
    /// The engine's revisions have gone back to this one. Nothing is claimed until they have passed
    /// the floor.
    Rewound { revision: u64, floor: u64 },
    /// The node has given up all it had, because it had not heard of the engine in time.
    Lapsed,
}

/// A call of the engine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    Grant,
    KeepAlive(LeaseId),
    Revoke(LeaseId),
    Commit(Transaction),
}

/// The answer of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum CallAnswer {
    Granted(LeaseId),
    /// Whether the lease was still there.
    KeptAlive(bool),
    Revoked,
    Verdict(CommitVerdict),
    /// The call has failed; the engine may have answered all the same, and may yet execute it.
    Failed {
        answered: bool,
    },
}

/// A call or a question without an answer yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Pending {
    what: What,
    sent: Instant,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum What {
    Grant,
    KeepAlive(LeaseId),
    Revoke,
    Register(NodeRecord),
    Update(NodeRecord),
    Admit,
    Forget,
    Document,
    /// A wish, or a drain of another node.
    Move,
    Claim(SharedName, ClaimReason),
    Release(SharedName, u64),
    Ask(NodeName),
}

/// How this node stands to a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Mine {
        epoch: u64,
    },
    Theirs {
        node: NodeName,
        address: PeerAddress,
        epoch: u64,
    },
    /// Nobody owns it; this other node is the first to claim it.
    Nobody {
        next: Option<(NodeName, PeerAddress)>,
    },
}

impl Node {
    pub(crate) fn new(settings: NodeSettings, now: Instant) -> Self {
        // A process that was here before may have promised something; see `hold`.
        let claims_from = now + settings.lease;
        Self {
            settings,
            faults: Mistakes::default(),
            view: View::default(),
            session: None,
            streams: BTreeMap::new(),
            pending: BTreeMap::new(),
            next_op: 0,
            heard: None,
            retry_at: now,
            claims_from,
            draining: false,
            wishes: BTreeMap::new(),
            floor: 0,
            hold: Hold::default(),
            actions: VecDeque::new(),
            now,
        }
    }

    /// Defines a stream that this node may own, or changes it.
    pub(crate) fn define(&mut self, name: SharedName, spec: SharedStream, now: Instant) {
        self.define_quietly(name, spec, now);
        self.step(now);
    }

    /// Defines a stream before a step.
    pub(crate) fn define_quietly(&mut self, name: SharedName, spec: SharedStream, now: Instant) {
        let state = self.streams.entry(name);
        let state = state.or_insert_with(|| NodeStream::new(spec.clone(), now));
        state.spec = spec;
        state.removed = false;
    }

    /// Removes a stream: its claim is given back.
    pub(crate) fn remove(&mut self, name: &SharedName, now: Instant) {
        if let Some(state) = self.streams.get_mut(name) {
            state.removed = true;
        }
        self.step(now);
    }

    /// Says that one more on this node wants a stream's frames, or one fewer.
    pub(crate) fn want(&mut self, name: &SharedName, wanted: bool, now: Instant) {
        if let Some(state) = self.streams.get_mut(name) {
            let change = if wanted { 1 } else { -1 };
            state.wanted = state.wanted.saturating_add_signed(change);
            state.unwanted = (state.wanted == 0).then(|| state.unwanted.unwrap_or(now));
        }
        self.step(now);
    }

    /// Says whether the camera can be dialled.
    pub(crate) fn dialled(&mut self, name: &SharedName, well: bool, now: Instant) {
        if let Some(state) = self.streams.get_mut(name) {
            state.failing = (!well).then(|| state.failing.unwrap_or(now));
        }
        self.step(now);
    }

    /// Gives a stream up, so that another node takes it.
    pub(crate) fn give_up(&mut self, name: &SharedName, now: Instant) {
        if let Some(state) = self.streams.get_mut(name) {
            state.unfit_until = Some(now + UNFIT_FOR);
        }
        self.step(now);
    }

    /// Gives all streams up, and takes no others while it is set.
    pub(crate) fn drain(&mut self, draining: bool, now: Instant) {
        self.draining = draining;
        self.step(now);
    }

    /// Takes what was read of the engine. `seen` is the latest epoch of which the node has had a
    /// frame.
    pub(crate) fn read(&mut self, image: EngineImage, seen: u64, now: Instant) {
        self.check_deadline(now);
        self.heard = Some(now);
        if self.view.revision > Some(image.revision) {
            self.rewind(image, seen, now);
        } else {
            self.view.replace(image);
        }
        self.all_changed();
        self.step(now);
    }

    /// Takes what the watch tells.
    pub(crate) fn changed(&mut self, changes: EngineChanges, now: Instant) {
        self.check_deadline(now);
        let touched = changes.changes.iter().filter_map(|change| change.stream());
        let touched: Vec<_> = touched.cloned().collect();
        let nodes = changes
            .changes
            .iter()
            .any(|change| change.stream().is_none());
        self.view.apply(changes);
        if nodes {
            // Who is next in order may be another for any stream.
            self.all_changed();
        }
        let shown = touched.iter().cloned().map(NodeAction::Changed);
        self.actions.extend(shown);
        if nodes {
            self.step(now);
        } else {
            self.step_of(&touched, now);
        }
    }

    /// Takes the answer of a member: whether it reaches the engine. None: it has not answered.
    pub(crate) fn answered(&mut self, op: u64, reaches: Option<bool>, now: Instant) {
        self.check_deadline(now);
        if let Some(Pending {
            what: What::Ask(peer),
            sent,
        }) = self.pending.remove(&op)
        {
            self.hold.take(&peer, reaches, sent, self.settings.lease);
        }
        self.step(now);
    }

    /// Answers a member that asks whether this node reaches the engine. If it says no, it claims
    /// nothing for the length of a lease.
    pub(crate) fn reaches_engine(&mut self, now: Instant) -> bool {
        self.step(now);
        let reaches = !self.suspects(now);
        if !reaches && !self.faults.planted(|faults| faults.broken_promise) {
            self.claims_from = self.claims_from.max(now + self.settings.lease);
        }
        reaches
    }

    /// As [`step`](Self::step), where only these streams are concerned. Others look again at the
    /// next keepalive at the latest.
    pub(super) fn step_of(&mut self, streams: &[SharedName], now: Instant) {
        self.check_deadline(now);
        self.keep_session(now);
        self.keep_record(now);
        self.ask_members(now);
        self.keep_only(streams, now);
    }

    /// Does what is due. To be called at [`due`](Self::due), and not much later.
    pub(crate) fn step(&mut self, now: Instant) {
        self.check_deadline(now);
        self.keep_session(now);
        self.keep_record(now);
        self.ask_members(now);
        self.keep_wishes(now);
        self.keep_streams(now);
    }

    /// The next thing to do.
    pub(crate) fn poll(&mut self) -> Option<NodeAction> {
        self.actions.pop_front()
    }

    /// When time alone changes something.
    pub(crate) fn due(&self) -> Option<Instant> {
        let now = self.now;
        let session = self.session.as_ref();
        let session = session.map(|session| session.alive_at.min(session.fence));
        let node = [session, self.deadline(now), self.hold.ask_at];
        let node = node
            .into_iter()
            .flatten()
            .chain([self.retry_at, self.claims_from]);
        let suspicion = self.heard.map(|heard| heard + self.settings.suspect());
        let streams = self.streams.values().flat_map(NodeStream::due);
        node.chain(suspicion)
            .chain(streams)
            .chain(self.wishes.values().copied())
            .filter(|at| *at > now)
            .min()
    }

    /// Until when the streams that are mine may be used.
    pub(crate) fn deadline(&self, now: Instant) -> Option<Instant> {
        let session = self.session.as_ref()?;
        if !self.settings.hold || session.recorded.is_none() {
            return Some(session.fence);
        }
        let silence = self.faults.planted(|faults| faults.silence_agrees);
        let others = self.view.members.keys();
        let others = others.filter(|name| **name != self.settings.name);
        let held = self.hold.until(others, now, self.settings.lease, silence);
        Some(held.map_or(session.fence, |held| held.max(session.fence)))
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
        let Claim::Mine { epoch } = self.streams.get(stream)?.claim else {
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
        self.session.as_ref().is_some_and(beyond) && self.deadline(now) > Some(now)
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

    fn call(&mut self, what: What, call: Call) -> u64 {
        let op = self.expect_answer(what);
        self.actions.push_back(NodeAction::Call { op, call });
        op
    }

    fn expect_answer(&mut self, what: What) -> u64 {
        let op = self.next_op;
        self.next_op += 1;
        let sent = self.now;
        self.pending.insert(op, Pending { what, sent });
        op
    }

    fn is_pending(&self, same: impl Fn(&What) -> bool) -> bool {
        self.pending.values().any(|pending| same(&pending.what))
    }

    fn all_changed(&mut self) {
        let streams = self.streams.keys().cloned();
        self.actions.extend(streams.map(NodeAction::Changed));
    }
}
