//! What the API shows of a cluster, and changes.

use std::time::Duration;

use mjpeg_cluster::{NodeName, Ownership, SharedName};
use mjpeg_control::{ClusterChange, Error, ErrorCode, StreamOwner};
use mjpeg_manager::StreamName;
use serde_json::{Value, json};

use super::{
    ClusterNode,
    figures::{ClusterFigures, SharedStreamFigures},
};

impl ClusterNode {
    /// Who reads the camera of a stream. `None` if it is not shared.
    pub(crate) fn owner(&self, stream: &str) -> Option<StreamOwner> {
        let ownership = self.places().ownership(stream)?;
        let own = || self.config().node().to_string();
        let owner = match ownership {
            Ownership::Mine(tenure) => StreamOwner::new(Some(own()), true, tenure.epoch()),
            Ownership::Theirs { node, epoch, .. } => {
                StreamOwner::new(Some(node.to_string()), false, epoch)
            }
            _ => StreamOwner::new(None, false, 0),
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
                is_pulled: self.client().pulled(&name).is_some(),
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
            claims: stats.claims,
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
            pull_failures: [
                ("connect", client.failed),
                ("silent", client.silent),
                ("broken", client.broken),
            ],
            streams: streams.collect(),
        }
    }

    /// The cluster as this node knows it.
    pub(crate) fn shown(&self) -> Value {
        let stats = self.cluster().stats();
        json!({
            "node": self.config().node().as_str(),
            "engine": {
                "is_up": stats.engine_up,
                "hold": stats.hold,
                "lease_remaining_s": stats.lease_remaining.as_secs_f64(),
            },
        })
    }

    /// Makes a change.
    ///
    /// # Errors
    ///
    /// Those of [`Configurator::change_cluster`](mjpeg_control::Configurator::change_cluster).
    pub(crate) async fn change(&self, change: ClusterChange) -> Result<(), Error> {
        match change {
            ClusterChange::Move { stream, node, .. } => self.move_to(&stream, &node).await,
            ClusterChange::Drain => match self.cluster().drain(PATIENCE).await {
                true => Ok(()),
                false => Err(unreachable()),
            },
            ClusterChange::Undrain => {
                self.cluster().undrain();
                Ok(())
            }
            ClusterChange::Forget { node, .. } => self.forget_node(&node).await,
            _ => Err(nothing_of("change")),
        }
    }

    async fn move_to(&self, stream: &StreamName, node: &str) -> Result<(), Error> {
        let _ = (stream, node);
        Err(nothing_of("move"))
    }

    async fn forget_node(&self, node: &str) -> Result<(), Error> {
        let node = NodeName::new(node).map_err(|_| nothing_of("node"))?;
        match self.cluster().forget(&node) {
            true => Ok(()),
            false => Err(nothing_of("node")),
        }
    }
}

fn nothing_of(what: &str) -> Error {
    Error::new(ErrorCode::NotFound, format!("there is no such {what}"))
}

fn unreachable() -> Error {
    let detail = "the engine of the cluster does not answer";
    Error::new(ErrorCode::EngineUnreachable, detail)
}

const PATIENCE: Duration = Duration::from_secs(5);
