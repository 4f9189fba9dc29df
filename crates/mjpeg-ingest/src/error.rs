//! Why there is no camera.

use std::{error::Error as StdError, io, net::SocketAddr, time::Duration};

/// Why a camera is offline. The camera, or the network to it, is at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No connection could be made.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The camera closed the connection.
    #[error("the camera closed the connection")]
    Closed,
    /// The camera sent no byte for the stall limit.
    #[error("the camera sent nothing for {after:?}")]
    Stalled {
        /// The stall limit.
        after: Duration,
    },
    /// The camera sent bytes, but no frame among them.
    #[error("the camera sent no whole picture for {after:?}")]
    NoFrame {
        /// Three times the stall limit.
        after: Duration,
    },
    /// The connection broke.
    #[error("the connection to the camera broke: {0}")]
    Read(#[source] io::Error),
    /// Another sender has connected in the place of one that was silent.
    #[error("{by} has taken the place of a sender that was silent")]
    Replaced {
        /// The new sender.
        by: String,
    },
    /// The source itself says why it ended.
    #[error(transparent)]
    Source(Box<dyn StdError + Send + Sync>),
}

/// Why a connection ended, where its source knows: a reader gives it within an [`io::Error`], into which it converts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceEnd {
    /// The source has nothing more to give: the ingest ends instead of connecting again.
    #[error("the source has ended")]
    Finished,
    /// Another sender has connected; the next connection is there at once.
    #[error("{by} has taken the place of a sender that was silent")]
    Replaced {
        /// The new sender.
        by: String,
    },
    /// It failed.
    #[error(transparent)]
    Failed(Box<dyn StdError + Send + Sync>),
}

impl From<SourceEnd> for io::Error {
    fn from(end: SourceEnd) -> Self {
        Self::other(end)
    }
}

/// Why a connection attempt failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The attempt took longer than the connect timeout.
    #[error("no connection within {after:?}")]
    TimedOut {
        /// The connect timeout.
        after: Duration,
    },
    /// The host name could not be resolved.
    #[error("cannot resolve {host}: {source}")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// The host was found but refused or could not be reached.
    #[error("cannot connect to {addr}: {source}")]
    Failed {
        /// The first of the host's addresses that failed.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A file or socket of this machine could not be opened.
    #[error("cannot open {path}: {source}")]
    Open {
        /// Its path.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// A program could not be started.
    #[error("cannot start {program}: {source}")]
    Start {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// There can be no listening at that address.
    #[error("cannot listen at {addr}: {source}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A camera that speaks HTTP was reached, and gives no pictures. (Feature `http`.)
    #[cfg(feature = "http")]
    #[error(transparent)]
    Http(#[from] crate::HttpError),
    /// The source has nothing more to give: the ingest ends instead of trying again.
    #[error("the source has ended")]
    Finished,
    /// A source of another kind failed.
    #[error(transparent)]
    Other(Box<dyn StdError + Send + Sync>),
}
