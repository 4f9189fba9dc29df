//! A running node: it drives the decisions of [`Node`] with an engine, other nodes and the clock.
//!
//! Decisions are made under a lock that is held for microseconds. Every call of the engine and
//! every question is a task of its own, so that none delays a deadline.

pub(crate) mod core;
pub(crate) mod listing;
pub(crate) mod moves;
pub(crate) mod orders;
pub(crate) mod ownership;
mod running;
pub(crate) mod shared;
pub(crate) mod source;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use mjpeg_ingest::Control;
use tokio::{
    sync::watch,
    task::AbortHandle,
    time::{Instant, sleep, timeout},
};

use crate::{
    cluster::{
        core::ClusterStats,
        listing::{ClusterNode, StreamOwner},
        ownership::Ownership,
        running::run,
        shared::ClusterShared,
    },
    config::ClusterConfig,
    engine::Engine,
    name::{NodeName, SharedName},
    node::{Node, moves::InvalidMove},
    peers::PeerEngine,
    spec::{SharedStream, document::StreamDocument},
};

/// A node of a cluster, while it runs.
///
/// Cheap to clone. When the last clone is dropped, all tenures end at once, and the engine lets go
/// of the node's claims at the end of its lease. [`drain`](Self::drain) hands them over before.
#[derive(Clone)]
pub struct Cluster {
    pub(crate) shared: Arc<ClusterShared>,
    _running: Arc<RunningGuard>,
}

impl Cluster {
    /// Starts a node.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn start(
        config: ClusterConfig,
        engine: Arc<dyn Engine>,
        peers: Arc<dyn PeerEngine>,
    ) -> Self {
        let node = Node::new(config.settings(), Instant::now());
        let shared = Arc::new(ClusterShared::new(config, node));
        let running = tokio::spawn(run(Arc::clone(&shared), engine, peers));
        let guard = RunningGuard {
            task: running.abort_handle(),
            shared: Arc::clone(&shared),
        };
        Self {
            shared,
            _running: Arc::new(guard),
        }
    }

    /// Defines a stream that this node may own, or changes it.
    pub fn define(&self, stream: &SharedName, spec: SharedStream) {
        let define = |node: &mut Node, now| node.define(stream.clone(), spec, now);
        self.shared.with(define);
    }

    /// Removes a stream. If this node owns it, the claim is given back.
    pub fn remove(&self, stream: &SharedName) {
        self.shared.with(|node, now| node.remove(stream, now));
    }

    /// Watches who owns a stream.
    pub fn ownership(&self, stream: &SharedName) -> watch::Receiver<Ownership> {
        self.shared.core().watch(stream, Instant::now())
    }

    /// Gives a stream up, so that another node takes it. If no other does, this one takes it back.
    pub fn give_up(&self, stream: &SharedName) {
        self.shared.with(|node, now| node.give_up(stream, now));
    }

    /// Gives all streams up, takes no others, and returns when they are given back, or after
    /// `within`. Returns whether they are. Takes effect even if it is not awaited to its end.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the draining goes on.
    pub async fn drain(&self, within: Duration) -> bool {
        self.shared.with(|node, now| node.drain(true, now));
        let idle = async {
            while !self.shared.core().node.is_idle() {
                sleep(self.shared.config.lease() / 60).await;
            }
        };
        timeout(within, idle).await.is_ok()
    }

    /// Removes a member that is down and will not come back. Returns whether it is one; that it is
    /// removed shows in [`stats`](Self::stats).
    ///
    /// While a member is down, no new one is admitted, and owners that lose the engine let go of
    /// their cameras: it could be on the side where the engine is. So this is for nodes that do not
    /// run any more. If you remove one that still runs but is cut off, a camera may get two
    /// connections.
    pub fn forget(&self, node: &NodeName) -> bool {
        self.shared.with(|core, now| core.forget(node, now))
    }

    /// Moves a stream to a node, once: its owner gives it up, and that node is the first to claim
    /// it. Any node that defines the stream may be asked. That it is moved shows in
    /// [`owners`](Self::owners); what has not come about after 10 s is forgotten.
    ///
    /// # Errors
    ///
    /// If the node could not own the stream, as far as this one knows.
    pub fn move_to(&self, stream: &SharedName, node: &NodeName) -> Result<(), InvalidMove> {
        self.shared.with(|core, now| core.move_to(stream, node, now))
    }

    /// Lets another node drain, as [`drain`](Self::drain) does here, until it is to no more.
    /// Returns whether it is a member; that it drains shows in [`nodes`](Self::nodes).
    ///
    /// The engine remembers it: a node that is restarted goes on draining.
    pub fn drain_node(&self, node: &NodeName, drained: bool) -> bool {
        self.shared.with(|core, now| core.drain_node(node, drained, now))
    }

    /// The members of the cluster, by name, as this node knows them.
    pub fn nodes(&self) -> Vec<ClusterNode> {
        self.shared.core().node.listed()
    }

    /// The streams that any node defines, with their owners, as this node knows them.
    pub fn owners(&self) -> BTreeMap<SharedName, Option<StreamOwner>> {
        self.shared.core().node.owners()
    }

    /// The streams that are defined in the engine, for all nodes at once. What other nodes have put
    /// there is no more trusted than a file.
    pub fn documents(&self) -> BTreeMap<SharedName, StreamDocument> {
        self.shared.core().node.documents().clone()
    }

    /// Defines a stream in the engine, or changes it. If the engine takes it, it shows in
    /// [`documents`](Self::documents).
    pub fn put_document(&self, stream: &SharedName, document: StreamDocument) {
        let document = Some(document);
        self.shared
            .with(|node, now| node.document(stream, document, now));
    }

    /// Deletes a stream from the engine.
    pub fn remove_document(&self, stream: &SharedName) {
        self.shared
            .with(|node, now| node.document(stream, None, now));
    }

    /// Takes streams again after [`drain`](Self::drain).
    pub fn undrain(&self) {
        self.shared.with(|node, now| node.drain(false, now));
    }

    /// Answers another node that asks whether this one reaches the engine.
    ///
    /// To say no is a promise: this node claims nothing for the length of a lease, because the
    /// other one may go on with its cameras for that long.
    pub fn reaches_engine(&self) -> bool {
        self.shared.with(|node, now| node.reaches_engine(now))
    }

    /// Names another node that means something else by a stream than this one, which may therefore
    /// not own it.
    pub fn conflict(&self, stream: &SharedName) -> Option<NodeName> {
        self.shared.core().node.conflict(stream)
    }

    /// Whether a node of the cluster that is up is reached at this address, as far as is known: for
    /// [`LinkClient::with_known`](crate::LinkClient::with_known).
    pub fn is_up(&self, address: &str) -> bool {
        self.shared.core().node.is_up(address)
    }

    /// What has happened so far.
    pub fn stats(&self) -> ClusterStats {
        let mut stats = self.shared.core().stats(Instant::now());
        stats.stale_frames = self.shared.orders.refused();
        stats
    }

    /// Lets an ingest that reads a [`ClusterSource`](crate::ClusterSource) try again at once
    /// whenever the ownership of its stream changes. The task ends with the node.
    pub fn follow(&self, stream: &SharedName, control: Control) {
        let mut ownership = self.ownership(stream);
        tokio::spawn(async move {
            while ownership.changed().await.is_ok() {
                control.retry_now();
                // The connection may have ended at the same moment, and the wait begin after that.
                sleep(FOLLOW_UP).await;
                control.retry_now();
            }
        });
    }
}

/// How long an ingest may take to notice that its connection has ended.
const FOLLOW_UP: Duration = Duration::from_millis(50);

struct RunningGuard {
    task: AbortHandle,
    shared: Arc<ClusterShared>,
}

impl Drop for RunningGuard {
    fn drop(&mut self) {
        self.task.abort();
        self.shared.core().end();
    }
}
