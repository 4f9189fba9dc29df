//! Why a call failed.

use std::{error::Error as StdError, io, net::SocketAddr, sync::Arc, time::Duration};

use crate::StreamName;

/// Why a call on the manager failed. [`code`](Self::code) gives each a stable word for machines.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A stream of that name runs, or is being started or stopped. The caller is at fault.
    #[error("a stream named {name} already exists")]
    AlreadyExists {
        /// The name.
        name: StreamName,
    },
    /// There are as many streams as there [may be](crate::ManagerConfig::max_streams).
    #[error("there are {most} streams, and there may be no more")]
    TooManyStreams {
        /// The limit.
        most: usize,
    },
    /// Another socket has the port the stream was to listen on, in this process or another one.
    #[error("{addr} is in use by another program or stream")]
    PortInUse {
        /// The address asked for.
        addr: SocketAddr,
    },
    /// The camera, or another source, did not answer a connection attempt in time.
    #[error("cannot reach the camera at {source_url}: {}", error.chain())]
    TcpConnectionTimeout {
        /// The source.
        source_url: String,
        /// What happened.
        #[source]
        error: Arc<mjpeg_ingest::Error>,
    },
    /// The camera refused the connection, or there is no way to it.
    #[error("cannot reach the camera at {source_url}: {}", error.chain())]
    TcpConnectionFailed {
        /// The source.
        source_url: String,
        /// What happened.
        #[source]
        error: Arc<mjpeg_ingest::Error>,
    },
    /// There is no stream of that name.
    #[error("there is no stream named {name}")]
    NotFound {
        /// The name asked for.
        name: String,
    },
    /// The start as a whole took too long.
    #[error("the stream did not start within {after:?}")]
    StartTimeout {
        /// The limit.
        after: Duration,
    },
    /// A source failed for a reason of its own kind, or had nothing to give.
    #[error("cannot open {source_url}: {}", error.chain())]
    SourceFailed {
        /// The source.
        source_url: String,
        /// What happened.
        #[source]
        error: Arc<mjpeg_ingest::Error>,
    },
    /// The stream cannot be as it is specified: a bad name or source, an address that this machine cannot listen on, or a camera that is required
    /// although it connects to us. The caller is at fault.
    #[error(transparent)]
    InvalidSpec(Box<dyn StdError + Send + Sync>),
    /// The system could not listen for a reason that is not the caller's, such as no file descriptor left.
    #[error("cannot listen on {addr}: {source}")]
    ListenFailed {
        /// The address asked for.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The call took too long. What it had begun is being taken down.
    #[error("the call did not finish within {after:?}")]
    CallTimeout {
        /// The limit.
        after: Duration,
    },
    /// The manager was shut down and starts nothing more.
    #[error("the manager was shut down")]
    ShutDown,
}

impl Error {
    /// A stable word for machines, the same in every interface.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AlreadyExists { .. } => "already_exists",
            Self::TooManyStreams { .. } => "too_many_streams",
            Self::PortInUse { .. } => "port_in_use",
            Self::TcpConnectionTimeout { .. } => "tcp_connection_timeout",
            Self::TcpConnectionFailed { .. } => "tcp_connection_failed",
            Self::NotFound { .. } => "not_found",
            Self::StartTimeout { .. } => "start_timeout",
            Self::SourceFailed { .. } => "source_failed",
            Self::InvalidSpec(_) => "invalid_spec",
            Self::ListenFailed { .. } => "listen_failed",
            Self::CallTimeout { .. } => "call_timeout",
            Self::ShutDown => "shut_down",
        }
    }
}
