//! Why a call failed.

use std::{error::Error as StdError, io, net::SocketAddr, sync::Arc, time::Duration};

use mjpeg_ingest::{ErrorChain, InvalidSource};

use crate::name::{InvalidName, StreamName};

/// Why a call on the manager failed. [`code`](Self::code) gives each a stable word for machines,
/// [`chain`](Self::chain) the whole text for people.
///
/// `Display` gives the error alone; its cause is the [`source`](StdError::source).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A stream of that name runs, or is being started or stopped. The caller is at fault.
    #[error("a stream named {name} already exists")]
    AlreadyExists {
        /// The name.
        name: StreamName,
    },
    /// There are already as many streams as
    /// [allowed](crate::ManagerConfig::with_max_streams).
    #[error("there are {most} streams, and there may be no more")]
    TooManyStreams {
        /// The limit.
        most: usize,
    },
    /// Another socket has the port that the stream was to listen on, in this process or another.
    #[error("{addr} is in use by another program or stream")]
    PortInUse {
        /// The address asked for.
        addr: SocketAddr,
    },
    /// The source did not answer a connection attempt in time. The camera, or the network to it, is
    /// at fault.
    #[error("cannot reach the camera at {source_url}")]
    ConnectTimeout {
        /// The source, for people.
        source_url: String,
        /// What happened.
        #[source]
        error: Arc<mjpeg_ingest::Error>,
    },
    /// The source refused the connection, or no network leads to it. The camera, or the network to
    /// it, is at fault.
    #[error("cannot reach the camera at {source_url}")]
    ConnectFailed {
        /// The source, for people.
        source_url: String,
        /// What happened.
        #[source]
        error: Arc<mjpeg_ingest::Error>,
    },
    /// No stream has that name. The caller is at fault.
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
    #[error("cannot open {source_url}")]
    SourceFailed {
        /// The source, for people.
        source_url: String,
        /// What happened.
        #[source]
        error: Arc<mjpeg_ingest::Error>,
    },
    /// The stream's spec is not valid. The caller is at fault.
    #[error(transparent)]
    InvalidSpec(#[from] InvalidSpec),
    /// The system could not listen for a reason that is not the caller's fault, such as no file
    /// descriptor left.
    #[error("cannot listen on {addr}")]
    ListenFailed {
        /// The address asked for.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// An [outlet](crate::Outlet) of another kind could not serve the stream.
    #[error("an outlet of the stream failed")]
    OutletFailed {
        /// What the outlet said.
        source: Box<dyn StdError + Send + Sync>,
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
    /// Returns a stable word for machines, the same in every interface.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AlreadyExists { .. } => "already_exists",
            Self::TooManyStreams { .. } => "too_many_streams",
            Self::PortInUse { .. } => "port_in_use",
            Self::ConnectTimeout { .. } => "tcp_connection_timeout",
            Self::ConnectFailed { .. } => "tcp_connection_failed",
            Self::NotFound { .. } => "not_found",
            Self::StartTimeout { .. } => "start_timeout",
            Self::SourceFailed { .. } => "source_failed",
            Self::InvalidSpec(_) => "invalid_spec",
            Self::ListenFailed { .. } => "listen_failed",
            Self::OutletFailed { .. } => "outlet_failed",
            Self::CallTimeout { .. } => "call_timeout",
            Self::ShutDown => "shut_down",
        }
    }

    /// Returns the error with all its causes as one line for people:
    /// `cannot reach the camera at tcp://door:6001: no connection within 5s (connect_timeout)`.
    pub fn chain(&self) -> ErrorChain<'_> {
        ErrorChain::new(self)
    }
}

/// Why a spec is not valid: which setting is wrong. The caller is at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSpec {
    /// The text is not a name.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The text is not a source.
    #[error(transparent)]
    Source(#[from] InvalidSource),
    /// This machine does not have the address, or the process may not use the port.
    #[error("cannot listen on {addr}")]
    Listen {
        /// The address asked for.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The stream is to listen, but the manager has no outlet that does.
    #[error("cannot listen on {addr}: this manager has no HTTP outlet (feature \"listener\")")]
    NoListener {
        /// The address asked for.
        addr: SocketAddr,
    },
    /// The stream has no source and is not [fed](crate::StreamSpec::fed).
    #[error("a stream needs a source")]
    NoSource,
    /// The stream is fed by the program and cannot have a source too.
    #[error("a stream that is fed by the program takes no source")]
    FedWithSource,
    /// A source connects to us, so that the start cannot reach it, but the mode requires it.
    #[error("a camera that connects to us cannot be required at the start")]
    RequiredButPassive,
    /// The camera is connected on demand only, but the mode requires it at the start.
    #[error("a camera that is connected on demand cannot be required at the start")]
    RequiredOnDemand,
    /// A threshold of the [detection](crate::DetectConfig) is out of bounds.
    #[error("detection of {setting} takes more than 0 and at most 100 percent")]
    Detect {
        /// Which one.
        setting: &'static str,
    },
    /// A mask of the detection has a rectangle that is empty or not within the picture, or more
    /// than 32 of them.
    #[error(
        "a mask takes up to 32 rectangles \"left,top,width,height\", in percent of the picture"
    )]
    Mask,
    /// Browsers cannot show the placeholder's picture.
    #[error("the placeholder is no picture that browsers can show")]
    Placeholder,
}
