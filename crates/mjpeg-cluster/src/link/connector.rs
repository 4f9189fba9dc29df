//! How connections to other nodes are encrypted.

use std::io;

use async_trait::async_trait;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

/// A connection to another node.
pub trait LinkIo: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> LinkIo for T {}

/// Encrypts connections to other nodes, such as by TLS.
#[async_trait]
pub trait LinkConnector: Send + Sync + 'static {
    /// Encrypts a fresh connection to a host, which is a name or an IP address.
    ///
    /// # Errors
    ///
    /// If the other side is not who it is to be, or does not take this node for a member.
    ///
    /// # Cancel safety
    ///
    /// Must be cancel safe in that a dropped call leaves no connection open.
    async fn connect(&self, stream: TcpStream, host: &str) -> io::Result<Box<dyn LinkIo>>;
}

/// Leaves connections as they are.
pub(super) struct PlainConnector;

#[async_trait]
impl LinkConnector for PlainConnector {
    async fn connect(&self, stream: TcpStream, _: &str) -> io::Result<Box<dyn LinkIo>> {
        Ok(Box::new(stream))
    }
}
