//! The decisions of a node, and what the rest of the program sees of them.

use std::{collections::BTreeMap, pin::Pin};

use mjpeg_ingest::{Tenure, TenureHolder};
use tokio::{
    sync::watch,
    time::{Duration, Instant},
};

use crate::{
    cluster::{moves::ClusterMoves, ownership::Ownership},
    name::SharedName,
    node::{Node, NodeAction, Standing},
};

/// Behind the lock of a node.
pub(crate) struct Core {
    pub(crate) node: Node,
    tenures: BTreeMap<SharedName, (TenureHolder, Tenure)>,
    watches: BTreeMap<SharedName, watch::Sender<Ownership>>,
    /// What is to be sent.
    pub(crate) outbox: Vec<NodeAction>,
    /// Tenures that have ended, and nobody waits yet for their connections to close.
    pub(crate) ended: Vec<EndedTenure>,
    /// How many of them have connections that may not be closed yet.
    pub(crate) unclosed: watch::Sender<usize>,
    claims: u64,
    lapses: u64,
    moves: ClusterMoves,
    /// Until when all tenures last.
    until: Option<Instant>,
}

/// A tenure that has ended.
pub(crate) struct EndedTenure {
    pub(crate) stream: SharedName,
    pub(crate) epoch: u64,
    /// Completes when none of its connections is open any more.
    pub(crate) closed: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// What has happened to a node so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterStats {
    /// How many claims of this node succeeded.
    pub claims: u64,
    /// How often it gave up all it had, because it had not heard of the engine in time.
    pub self_fences: u64,
    /// How many streams it owns.
    pub owned: usize,
    /// Whether it reaches the engine.
    pub engine_up: bool,
    /// Whether it goes on without the engine, as all other members do not reach it either.
    pub hold: bool,
    /// For how long it may still use what it owns.
    pub lease_remaining: Duration,
    /// How many nodes are up.
    pub nodes: usize,
    /// How many nodes belong to the cluster, also while they are down.
    pub members: usize,
    /// Why this node has claimed streams, and how often.
    pub moves: ClusterMoves,
    /// In which epoch it owns each of its streams.
    pub epochs: BTreeMap<SharedName, u64>,
    /// How many frames were left out because they did not come after those before, such as frames
    /// of an owner of before.
    pub stale_frames: u64,
    /// If the engine's revisions have gone back, as after a restored backup: which one they have to
    /// pass before anything is claimed.
    pub epoch_floor: Option<u64>,
}

impl Core {
    pub(crate) fn new(node: Node) -> Self {
        Self {
            node,
            tenures: BTreeMap::new(),
            watches: BTreeMap::new(),
            outbox: Vec::new(),
            ended: Vec::new(),
            unclosed: watch::Sender::new(0),
            claims: 0,
            lapses: 0,
            moves: ClusterMoves::default(),
            until: None,
        }
    }

    /// Carries out what the node has decided.
    pub(crate) fn settle(&mut self, now: Instant) {
        while let Some(action) = self.node.poll() {
            match action {
                NodeAction::Changed(stream) => self.show(&stream, now),
                NodeAction::Renewed { stream, epoch } => self.renewed(&stream, epoch, now),
                NodeAction::Lapsed => self.lapses += 1,
                NodeAction::Claimed(reason) => self.moves.count(reason),
                NodeAction::Rewound { revision, floor } => tracing::warn!(
                    revision,
                    floor,
                    "the engine's revisions have gone back; nothing is claimed until they pass \
                     those before"
                ),
                action => self.outbox.push(action),
            }
        }
        let Some(until) = self.node.deadline(now) else {
            return;
        };
        if self.until.replace(until) == Some(until) && now < until {
            return;
        }
        let ended = |(stream, (holder, _)): (&SharedName, &(TenureHolder, Tenure))| {
            (!holder.extend(until)).then(|| stream.clone())
        };
        let ended: Vec<_> = self.tenures.iter().filter_map(ended).collect();
        for stream in ended {
            // It has ended a moment ago by its own clock: its claim is given back.
            self.node.ended(&stream, now);
            self.show(&stream, now);
        }
    }

    fn show(&mut self, stream: &SharedName, now: Instant) {
        let mine = self.node.open(stream, now);
        let shown = self.tenures.get(stream).map(|(holder, _)| holder.epoch());
        if shown != mine {
            self.end_tenure(stream);
            if let (Some(epoch), Some(until)) = (mine, self.node.deadline(now)) {
                self.claims += 1;
                let tenure = Tenure::new(epoch, until);
                self.tenures.insert(stream.clone(), tenure);
            }
        }
        if let Some(watch) = self.watches.get(stream) {
            let ownership = self.ownership(stream, now);
            watch.send_if_modified(|shown| {
                let changed = !shown.is_same(&ownership);
                if changed {
                    *shown = ownership;
                }
                changed
            });
        }
    }

    /// The node has claimed a stream anew without a pause: the tenure goes on.
    fn renewed(&mut self, stream: &SharedName, epoch: u64, now: Instant) {
        let holder = self.tenures.get(stream).map(|(holder, _)| holder);
        if holder.is_some_and(|holder| holder.renew(epoch)) {
            self.claims += 1;
        } else {
            self.node.ended(stream, now);
        }
    }

    /// Ends the tenure of a stream, if there is one, and keeps what tells that it is closed.
    fn end_tenure(&mut self, stream: &SharedName) {
        let Some((holder, _)) = self.tenures.remove(stream) else {
            return;
        };
        self.unclosed.send_modify(|unclosed| *unclosed += 1);
        self.ended.push(EndedTenure {
            stream: stream.clone(),
            epoch: holder.epoch(),
            closed: Box::pin(holder.closed()),
        });
    }

    fn ownership(&self, stream: &SharedName, now: Instant) -> Ownership {
        if let Some((_, tenure)) = self.tenures.get(stream) {
            return Ownership::Mine(tenure.clone());
        }
        match self.node.standing(stream, now) {
            Standing::Theirs {
                node,
                address,
                epoch,
            } => Ownership::Theirs {
                node,
                address,
                epoch,
            },
            Standing::Mine { .. } => Ownership::Nobody { next: None },
            Standing::Nobody { next } => Ownership::Nobody {
                next: next.map(|(_, address)| address),
            },
        }
    }

    pub(crate) fn watch(
        &mut self,
        stream: &SharedName,
        now: Instant,
    ) -> watch::Receiver<Ownership> {
        let ownership = self.ownership(stream, now);
        let watch = self.watches.entry(stream.clone());
        watch
            .or_insert_with(|| watch::Sender::new(ownership))
            .subscribe()
    }

    pub(crate) fn stats(&self, now: Instant) -> ClusterStats {
        let deadline = self.node.deadline(now);
        let remaining = deadline.map(|until| until.saturating_duration_since(now));
        ClusterStats {
            claims: self.claims,
            self_fences: self.lapses,
            owned: self.tenures.len(),
            engine_up: !self.node.suspects(now),
            hold: self.node.holds(now),
            lease_remaining: remaining.unwrap_or_default(),
            nodes: self.node.nodes_up(),
            members: self.node.members(),
            moves: self.moves,
            epochs: self
                .tenures
                .iter()
                .map(|(stream, (holder, _))| (stream.clone(), holder.epoch()))
                .collect(),
            stale_frames: 0,
            epoch_floor: self.node.floor(),
        }
    }

    /// Ends everything, with the node.
    pub(crate) fn end(&mut self) {
        self.tenures.clear();
        self.watches.clear();
    }
}
