//! What a node asks of other nodes directly, without the engine: seams, which the link implements.

use async_trait::async_trait;
use mjpeg_ingest::{ConnectError, Connection, FrameOrder};

use crate::{link::client::LinkClient, name::PeerAddress};

/// Reads a stream from another node.
#[async_trait]
pub trait PeerPull: Send + Sync + 'static {
    /// Opens a connection to a node that owns a stream, or is about to. The connection ends when
    /// that node does not own the stream any more.
    ///
    /// # Errors
    ///
    /// If the node cannot be reached, or has no such stream.
    ///
    /// # Cancel safety
    ///
    /// A dropped call leaves no connection open.
    async fn pull(
        &self,
        peer: &PeerAddress,
        stream: &str,
        order: &FrameOrder,
    ) -> Result<Connection, ConnectError>;
}

/// Asks other nodes about the engine.
#[async_trait]
pub trait PeerEngine: Send + Sync + 'static {
    /// Asks a node whether it reaches the engine; there,
    /// [`Cluster::reaches_engine`](crate::Cluster::reaches_engine) answers. None if it does not
    /// answer, within a time limit that is short against a lease.
    async fn reaches_engine(&self, peer: &PeerAddress) -> Option<bool>;
}

#[async_trait]
impl PeerPull for LinkClient {
    async fn pull(
        &self,
        peer: &PeerAddress,
        stream: &str,
        order: &FrameOrder,
    ) -> Result<Connection, ConnectError> {
        Self::pull(self, peer.as_str(), stream, order).await
    }
}

#[async_trait]
impl PeerEngine for LinkClient {
    async fn reaches_engine(&self, peer: &PeerAddress) -> Option<bool> {
        self.engine(peer.as_str()).await.ok()
    }
}
