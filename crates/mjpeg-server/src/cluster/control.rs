//! What the API shows of a cluster, and changes.

use std::time::Duration;

use mjpeg_cluster::{ClusterNode, InvalidMove, NodeName, Ownership, SharedName};
use mjpeg_control::{CameraOwner, ClusterChange, Error, ErrorCode};
use mjpeg_manager::StreamName;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::{
    RelayNode,
    figures::{ClusterFigures, SharedStreamFigures},
};

impl RelayNode {
    /// Who reads the camera of a stream. `None` if it is not shared.
    pub(crate) fn owner(&self, stream: &str) -> Option<CameraOwner> {
        let ownership = self.places().ownership(stream)?;
        let own = || self.config().node().to_string();
        let owner = match ownership {
            Ownership::Mine(tenure) => CameraOwner::new(Some(own()), true, tenure.epoch()),
            Ownership::Theirs { node, epoch, .. } => {
                CameraOwner::new(Some(node.to_string()), false, epoch)
            }
            _ => CameraOwner::new(None, false, 0),
        };
        let conflict = SharedName::new(stream).ok();
        let conflict = conflict.and_then(|name| self.cluster().conflict(&name));
        Some(owner.with_conflict(conflict.map(|node| node.to_string())))
    }

    /// What has been counted.
    pub(crate) fn figures(&self) -> ClusterFigures {
        let stats = self.cluster().stats();
        let (server, client) = (self.port().stats(), self.client().stats());
        let streams = self.places().names().into_iter();
        let streams = streams.filter_map(|name| {
            let owner = self.owner(&name)?;
            Some(SharedStreamFigures {
                is_owned: owner.is_here,
                epoch: owner.epoch,
                pull_age: self
                    .client()
                    .pulled(&name)
                    .map(|pull| pull.age.unwrap_or_default()),
                is_in_conflict: owner.conflict.is_some(),
                name,
            })
        });
        ClusterFigures {
            is_engine_up: stats.engine_up,
            holds: stats.hold,
            lease_remaining: stats.lease_remaining,
            nodes: stats.nodes,
            members: stats.members,
            self_fences: stats.self_fences,
            edges: server.edges,
            refused: [
                ("elsewhere", server.misdirected),
                ("to_hub", server.redirected),
                ("max_edges", server.refused_edges),
                ("limit", server.refused),
                ("loop", server.loops),
            ],
            pulls: client.pulls,
            moves: [
                ("unowned", stats.moves.unowned),
                ("owner_gone", stats.moves.owner_gone),
                ("owner_drained", stats.moves.owner_drained),
                ("given_up", stats.moves.given_up),
                ("requested", stats.moves.requested),
                ("retaken", stats.moves.retaken),
            ],
            stale_frames: stats.stale_frames,
            is_rewound: stats.epoch_floor.is_some(),
            pull_failures: [
                ("connect", client.failed),
                ("stranger", client.strangers),
                ("silent", client.silent),
                ("broken", client.broken),
            ],
            streams: streams.collect(),
        }
    }

    /// The cluster as this node knows it.
    pub(crate) fn shown(&self) -> Value {
        let stats = self.cluster().stats();
        let nodes = self.cluster().nodes().into_iter();
        let nodes = nodes.map(|node| self.shown_node(&node)).collect::<Vec<_>>();
        let streams = self.cluster().owners().into_iter();
        let streams = streams.map(|(name, owner)| {
            let conflict = self.cluster().conflict(&name);
            json!({
                "name": name.as_str(),
                "node": owner.as_ref().map(|owner| owner.node.to_string()),
                "epoch": owner.as_ref().map(|owner| owner.epoch),
                "conflict": conflict.map(|node| node.to_string()),
            })
        });
        json!({
            "node": self.config().node().as_str(),
            "engine": {
                "is_up": stats.engine_up,
                "hold": stats.hold,
                "lease_remaining_s": stats.lease_remaining.as_secs_f64(),
                "epoch_floor": stats.epoch_floor,
            },
            "nodes": nodes,
            "streams": streams.collect::<Vec<_>>(),
        })
    }

    fn shown_node(&self, node: &ClusterNode) -> Value {
        let state = match node {
            ClusterNode { is_up: false, .. } => "down",
            ClusterNode {
                is_draining: true, ..
            } => "draining",
            ClusterNode {
                is_admitted: false, ..
            } => "joining",
            ClusterNode {
                is_waiting: true, ..
            } => "waiting",
            _ => "up",
        };
        json!({
            "name": node.name.as_str(),
            "state": state,
            "is_here": node.name == *self.config().node(),
            "address": node.address.as_str(),
            "version": node.version,
            "labels": node.labels,
            "capacity": node.capacity,
            "owned": node.owned,
        })
    }

    /// Makes a change, and waits until it shows.
    ///
    /// # Errors
    ///
    /// Those of [`Configurator::change_cluster`](mjpeg_control::Configurator::change_cluster).
    pub(crate) async fn change(&self, change: ClusterChange) -> Result<(), Error> {
        match change {
            ClusterChange::Move { stream, node, .. } => self.move_to(&stream, &node).await,
            ClusterChange::Drain { node, .. } => self.drain(node, true).await,
            ClusterChange::Undrain { node, .. } => self.drain(node, false).await,
            ClusterChange::Forget { node, .. } => self.forget_node(&node).await,
            _ => Err(no_node()),
        }
    }

    async fn move_to(&self, stream: &StreamName, node: &str) -> Result<(), Error> {
        let stream = SharedName::new(stream.as_str()).map_err(|_| no_stream())?;
        let node = NodeName::new(node).map_err(|_| no_node())?;
        // A node that has just started can take it in a moment.
        let asked = async {
            loop {
                match self.cluster().move_to(&stream, &node) {
                    Err(InvalidMove::Waiting) => sleep(LOOK_AGAIN).await,
                    decided => return decided,
                }
            }
        };
        let asked = timeout(PATIENCE, asked).await;
        match asked.unwrap_or(Err(InvalidMove::Waiting)) {
            Ok(()) => {}
            Err(InvalidMove::AlreadyThere) => return Ok(()),
            Err(InvalidMove::UnknownStream) => return Err(no_stream()),
            Err(InvalidMove::UnknownNode) => return Err(no_node()),
            Err(InvalidMove::NoEngine) => return Err(unreachable()),
            Err(other) => return Err(Error::new(ErrorCode::NotPossible, other.to_string())),
        }
        let is_moved = || {
            let owners = self.cluster().owners();
            let owner = owners.get(&stream).and_then(Option::as_ref);
            owner.is_some_and(|owner| owner.node == node)
        };
        shows(is_moved).await
    }

    async fn drain(&self, node: Option<String>, drained: bool) -> Result<(), Error> {
        let node = match node {
            Some(node) => NodeName::new(&node).map_err(|_| no_node())?,
            None => self.config().node().clone(),
        };
        if !self.cluster().drain_node(&node, drained) {
            return Err(no_node());
        }
        let is_done = || {
            let nodes = self.cluster().nodes();
            let mut named = nodes.iter().filter(|known| known.name == node);
            named.any(|known| known.is_draining == drained && !(drained && known.owned > 0))
        };
        shows(is_done).await
    }

    async fn forget_node(&self, node: &str) -> Result<(), Error> {
        let node = NodeName::new(node).map_err(|_| no_node())?;
        let nodes = self.cluster().nodes();
        let known = nodes
            .iter()
            .find(|known| known.name == node)
            .ok_or_else(no_node)?;
        if known.is_up {
            let detail = "the node is up: stop it before it is forgotten";
            return Err(Error::new(ErrorCode::NotPossible, detail));
        }
        if !self.cluster().forget(&node) {
            return Err(no_node());
        }
        let is_gone = || {
            !self
                .cluster()
                .nodes()
                .iter()
                .any(|known| known.name == node)
        };
        shows(is_gone).await
    }
}

/// Waits until something shows in what this node knows of the cluster.
async fn shows(it: impl Fn() -> bool) -> Result<(), Error> {
    let waiting = async {
        while !it() {
            sleep(LOOK_AGAIN).await;
        }
    };
    timeout(PATIENCE, waiting).await.map_err(|_| unreachable())
}

fn no_stream() -> Error {
    let detail = "there is no such stream, or the cluster does not share it";
    Error::new(ErrorCode::NotFound, detail)
}

fn no_node() -> Error {
    let detail = "the cluster has no node of this name";
    Error::new(ErrorCode::NotFound, detail)
}

fn unreachable() -> Error {
    let detail = "the nodes have not agreed on it within 10 s: is the engine reached?";
    Error::new(ErrorCode::EngineUnreachable, detail)
}

const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// As long as a wish to move a stream lasts.
const PATIENCE: Duration = Duration::from_secs(10);
