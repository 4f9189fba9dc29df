//! The seam between a source of bytes and the loop that reads it.

use std::{any::Any, fmt, time::Duration};

use async_trait::async_trait;
use tokio::io::AsyncRead;

use crate::ConnectError;

/// Something that can be connected to, again and again: a camera, an encoder, a test.
#[async_trait]
pub trait Connect: Send + Sync + 'static {
    /// Opens a new connection.
    ///
    /// [`Ingest`](crate::Ingest) calls this only when it holds no earlier connection, bounds its time, and drops the future
    /// when it gives up; dropping it must leave nothing open.
    ///
    /// # Errors
    ///
    /// Why there is no connection; it is shown to users, and the attempt is repeated after a backoff.
    ///
    /// # Cancel safety
    ///
    /// Must be cancel safe in that a dropped call leaves no connection behind.
    async fn connect(&self) -> Result<Connection, ConnectError>;

    /// Whether the other side comes to us. Then an attempt may wait as long as it likes, for to wait is no failure; and when a
    /// connection ends, the next attempt begins at once. Default: false.
    fn is_awaited(&self) -> bool {
        false
    }
}

/// A fresh connection to a source.
#[non_exhaustive]
pub struct Connection {
    /// Where its bytes come from. Dropping it closes the connection. An error that holds a [`SourceEnd`](crate::SourceEnd) tells why it ended.
    pub io: Box<dyn AsyncRead + Send + Unpin>,
    /// How frames lie in those bytes.
    pub framing: Framing,
    /// Whom it leads to, for people to read: an address, a path, a command.
    pub peer: String,
    /// How long it is from frame to frame, where the source knows: one that is slow by nature is not taken for a dead one.
    pub interval: Option<Duration>,
    /// What must outlive the connection until the next one is made, such as the listener that it came through. Goes with the ingest, and on pause.
    pub anchor: Option<Box<dyn Any + Send>>,
}

impl Connection {
    /// Makes a connection that carries concatenated JPEG images.
    pub fn new(io: impl AsyncRead + Send + Unpin + 'static, peer: impl Into<String>) -> Self {
        Self {
            io: Box::new(io),
            framing: Framing::Concatenated,
            peer: peer.into(),
            interval: None,
            anchor: None,
        }
    }

    /// Says how frames lie in the bytes, where they are not [`Concatenated`](Framing::Concatenated).
    pub fn framing(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            io: _,
            framing,
            peer,
            interval,
            anchor: _,
        } = self;
        f.debug_struct("Connection")
            .field("framing", framing)
            .field("peer", peer)
            .field("interval", interval)
            .finish_non_exhaustive()
    }
}

/// How frames lie in the bytes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Framing {
    /// JPEG images one after another, with or without bytes in between.
    Concatenated,
    /// The body of a multipart response (RFC 2046 section 5.1), as [`multipart::Parser`](mjpeg_codec::multipart::Parser) reads it. The boundary need not be known.
    Multipart,
}
