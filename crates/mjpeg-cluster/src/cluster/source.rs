//! A stream of the cluster as a source: the camera itself on the node that owns it, that node on
//! all others.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use mjpeg_ingest::{Connect, ConnectError, Connection, FrameOrder, IngestConfig, Tenure};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use crate::{
    cluster::{Cluster, orders::OrderUse, ownership::Ownership},
    link::error::LinkFailure,
    name::{PeerAddress, SharedName},
    node::Node,
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
    _counted: OrderUse,
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
        let counted = cluster.shared.orders.add(order.clone());
        Self {
            cluster,
            stream,
            camera,
            peers,
            order,
            _counted: counted,
        }
    }

    async fn attempt(&self, config: &IngestConfig) -> Result<Connection, ConnectError> {
        let mut ownership = self.cluster.ownership(&self.stream);
        loop {
            let found = self.find(&mut ownership);
            let tenure = match limited(config.connect_timeout(), found).await? {
                SourcePlace::Here(tenure) => tenure,
                SourcePlace::There(connection) => return Ok(connection),
            };
            let dialled = self.dial(&tenure, config).await;
            // Moved away meanwhile: it is to be read there.
            if dialled.is_ok() || tenure.is_open(Instant::now()) {
                return dialled;
            }
        }
    }

    /// Finds out where the stream is read at present, and begins to read it unless that is here.
    pub(super) async fn find(
        &self,
        ownership: &mut watch::Receiver<Ownership>,
    ) -> Result<SourcePlace, ConnectError> {
        let mut refusals = 0;
        loop {
            let current = ownership.borrow_and_update().clone();
            let peer = match &current {
                Ownership::Mine(tenure) if tenure.is_open(Instant::now()) => {
                    return Ok(SourcePlace::Here(tenure.clone()));
                }
                Ownership::Theirs { address, .. }
                | Ownership::Nobody {
                    next: Some(address),
                } => address.clone(),
                _ => {
                    // It is this node's to claim, or all others are gone.
                    ownership.changed().await.map_err(|_| not_owned())?;
                    continue;
                }
            };
            let pulled = tokio::select! {
                biased;
                _ = ownership.wait_for(|now| !now.is_at(&peer)) => continue,
                pulled = self.pull(&peer) => pulled,
            };
            let error = match pulled {
                Ok(connection) => {
                    return Ok(SourcePlace::There(following(connection, ownership, peer)));
                }
                Err(error) => error,
            };
            let has_owner = matches!(current, Ownership::Theirs { .. });
            let pause = match has_owner {
                true => HAND_OVER_PAUSE * (1 << refusals),
                false => CLAIM_PATIENCE,
            };
            refusals += 1;
            if !is_of_a_hand_over(&error) || refusals > HAND_OVER_RETRIES {
                return Err(error);
            }
            // It may have changed while the other node was asked, so nothing of it counts as seen.
            let changed = ownership.wait_for(|now| !now.is_same(&current));
            let changed = timeout(pause, changed).await.is_ok();
            if !changed && !has_owner {
                return Err(error);
            }
        }
    }

    /// Dials the camera, as long as the tenure is open.
    async fn dial(
        &self,
        tenure: &Tenure,
        config: &IngestConfig,
    ) -> Result<Connection, ConnectError> {
        let (camera, config) = (Arc::clone(&self.camera), config.clone());
        let dialling = async move { camera.connect_within(&config).await };
        let dialled = Connection::in_tenure(tenure, dialling).await;
        if dialled.is_ok() || tenure.is_open(Instant::now()) {
            let well = dialled.is_ok();
            let tell = |node: &mut Node, now| node.dialled(&self.stream, well, now);
            self.cluster.shared.with(tell);
        }
        Ok(dialled?.with_order(self.order.clone()))
    }

    async fn pull(&self, peer: &PeerAddress) -> Result<Connection, ConnectError> {
        let connection = self
            .peers
            .pull(peer, self.stream.as_str(), &self.order)
            .await?;
        Ok(connection.with_order(self.order.clone()))
    }
}

/// Where a stream is read.
pub(super) enum SourcePlace {
    /// At the camera, in this tenure.
    Here(Tenure),
    /// At another node.
    There(Connection),
}

/// Ends a connection to another node when the stream is to be read elsewhere.
fn following(
    connection: Connection,
    ownership: &watch::Receiver<Ownership>,
    peer: PeerAddress,
) -> Connection {
    let mut ownership = ownership.clone();
    connection.until(async move {
        let _ = ownership.wait_for(|now| now.is_elsewhere(&peer)).await;
    })
}

/// Whether an error passes by itself soon: the nodes do not yet know the same of an owner.
fn is_of_a_hand_over(error: &ConnectError) -> bool {
    let ConnectError::Other(error) = error else {
        return false;
    };
    let failure = error.downcast_ref::<LinkFailure>();
    failure.is_some_and(LinkFailure::is_of_a_hand_over)
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

/// How long to wait after a refusal that passes by itself, the first time; then twice as long each
/// time.
const HAND_OVER_PAUSE: Duration = Duration::from_millis(10);

/// How often to ask again after such refusals: for 1.3 s in all.
const HAND_OVER_RETRIES: u32 = 7;

/// How long to wait for the first node in the order to claim a stream, before that is an outage.
const CLAIM_PATIENCE: Duration = Duration::from_secs(1);
