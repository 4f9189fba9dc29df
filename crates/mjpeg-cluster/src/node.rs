//! One node of a cluster, as decisions alone: time, answers of the engine and of other nodes, and
//! changes of keys come in; requests and questions go out. It waits for nothing and has no clock.
//!
//! Two things are never guessed. A stream is mine only after a claim that the engine has answered,
//! and only until the [deadline](Node::deadline). What the [view](view::View) says comes too late
//! to decide that.

mod answers;
mod asked;
mod claims;
mod faults;
mod floor;
mod hold;
mod lease;
#[cfg(test)]
mod model;
pub(crate) mod moves;
pub(crate) mod reason;
mod renewal;
mod said;
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
        faults::Mistakes, hold::Hold, lease::LeaseSession, reason::ClaimReason,
        settings::NodeSettings, stream::NodeStream, view::View,
    },
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
    /// Some streams may still have to be claimed anew; see [`Claim::Renewing`].
    renewing: bool,
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
    /// The node has claimed a stream anew that it had all the time: its tenure goes on in this
    /// epoch.
    Renewed { stream: SharedName, epoch: u64 },
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
    /// The claim of what was mine all the time.
    Renew(SharedName),
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
            renewing: false,
            actions: VecDeque::new(),
            now,
        }
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
