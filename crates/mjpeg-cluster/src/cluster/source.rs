//! A stream of the cluster as a source: the camera itself on the node that owns it, that node on
//! all others.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use mjpeg_ingest::{Connect, ConnectError, Connection, FrameOrder, IngestConfig, Tenure};
use tokio::time::timeout;

use crate::{
    cluster::{Cluster, ownership::Ownership},
    name::{PeerAddress, SharedName},
    peers::PeerPull,
};

/// Reads a stream of a cluster: from the camera if this node owns the stream, and from the owner
/// if another one does.
///
/// Makes a [`Source`](mjpeg_ingest::Source) by [`Source::through`](mjpeg_ingest::Source::through)
/// or [`Source::custom`](mjpeg_ingest::Source::custom).
/// [`Cluster::follow`] lets its ingest try again as soon as the owner changes.
pub struct ClusterSource {
    cluster: Cluster,
    stream: SharedName,
    camera: Arc<dyn Connect>,
    peers: Arc<dyn PeerPull>,
    order: FrameOrder,
}

impl ClusterSource {
    /// Makes the source of a stream that is [defined](Cluster::define).
    ///
    /// `order` is kept over all connections of the stream on this node: no picture goes back in
    /// time, whichever node sends it.
    pub fn new(
        cluster: Cluster,
        stream: SharedName,
        camera: Arc<dyn Connect>,
        peers: Arc<dyn PeerPull>,
        order: FrameOrder,
    ) -> Self {
        Self {
            cluster,
            stream,
            camera,
            peers,
            order,
        }
    }

    /// Dials the camera, as long as the tenure is open.
    async fn dial(
        &self,
        tenure: Tenure,
        config: &IngestConfig,
    ) -> Result<Connection, ConnectError> {
        let dialled = tokio::select! {
            biased;
            () = tenure.ended() => return Err(not_owned()),
            dialled = self.camera.connect_within(config) => dialled,
        };
        let well = dialled.is_ok();
        let dialled_at = |node: &mut crate::node::Node, now| node.dialled(&self.stream, well, now);
        self.cluster.shared.with(dialled_at);
        let connection = dialled?;
        Ok(connection
            .with_tenure(tenure)
            .with_order(self.order.clone()))
    }

    async fn pull(&self, peer: &PeerAddress) -> Result<Connection, ConnectError> {
        let connection = self
            .peers
            .pull(peer, self.stream.as_str(), &self.order)
            .await?;
        Ok(connection.with_order(self.order.clone()))
    }

    async fn attempt(&self, config: &IngestConfig) -> Result<Connection, ConnectError> {
        let mut ownership = self.cluster.ownership(&self.stream);
        let patience = config.connect_timeout();
        let current = ownership.borrow_and_update().clone();
        match current {
            Ownership::Mine(tenure) => self.dial(tenure, config).await,
            Ownership::Theirs { address, .. }
            | Ownership::Nobody {
                next: Some(address),
            } => limited(patience, self.pull(&address)).await,
            Ownership::Nobody { next: None } => {
                // It is this node's to claim, or all others are gone.
                let decided = limited(patience, async {
                    let known = |now: &Ownership| !matches!(now, Ownership::Nobody { next: None });
                    let decided = ownership.wait_for(known).await;
                    decided.map(|now| now.clone()).map_err(|_| not_owned())
                });
                match decided.await? {
                    Ownership::Mine(tenure) => self.dial(tenure, config).await,
                    Ownership::Theirs { address, .. } => {
                        limited(patience, self.pull(&address)).await
                    }
                    Ownership::Nobody { .. } => Err(not_owned()),
                }
            }
        }
    }
}

#[async_trait]
impl Connect for ClusterSource {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        self.connect_within(&IngestConfig::default()).await
    }

    async fn connect_within(&self, config: &IngestConfig) -> Result<Connection, ConnectError> {
        let wanted = Want::new(&self.cluster, &self.stream);
        let connection = self.attempt(config).await?;
        Ok(connection.keeping(wanted))
    }

    /// A camera that connects to us does so only while this node owns it.
    fn is_passive(&self) -> bool {
        let is_mine = || {
            matches!(
                &*self.cluster.ownership(&self.stream).borrow(),
                Ownership::Mine(_)
            )
        };
        self.camera.is_passive() && is_mine()
    }
}

/// Lets the node own a stream on demand while it lives.
struct Want {
    cluster: Cluster,
    stream: SharedName,
}

impl Want {
    fn new(cluster: &Cluster, stream: &SharedName) -> Self {
        cluster
            .shared
            .with(|node, now| node.want(stream, true, now));
        Self {
            cluster: cluster.clone(),
            stream: stream.clone(),
        }
    }
}

impl Drop for Want {
    fn drop(&mut self) {
        let stream = &self.stream;
        self.cluster
            .shared
            .with(|node, now| node.want(stream, false, now));
    }
}

async fn limited<T>(
    after: Duration,
    attempt: impl Future<Output = Result<T, ConnectError>>,
) -> Result<T, ConnectError> {
    let attempted = timeout(after, attempt).await;
    attempted.unwrap_or(Err(ConnectError::TimedOut { after }))
}

fn not_owned() -> ConnectError {
    let why = "no node of the cluster is connected to the camera";
    ConnectError::from(std::io::Error::other(why))
}
