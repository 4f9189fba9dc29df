//! Why a camera is offline.

#[cfg(feature = "http")]
pub(crate) mod http;
pub(crate) mod kind;
pub(crate) mod local;
pub(crate) mod reason;
pub(crate) mod relay;
#[cfg(feature = "rtsp")]
pub(crate) mod rtsp;
#[cfg(all(feature = "v4l2", target_os = "linux"))]
pub(crate) mod v4l2;

use std::{error::Error as StdError, fmt, io, net::SocketAddr, time::Duration};

#[cfg(feature = "http")]
pub use self::http::{AuthoritiesError, HttpError};
pub use self::relay::RelayError;
#[cfg(feature = "rtsp")]
pub use self::rtsp::RtspError;
use crate::{dial_policy::AddressNotAllowed, text::escaped};

/// Why a camera is offline. The camera, or the network to it, is at fault.
///
/// As with all errors of this crate, `Display` does not repeat the [`source`](StdError::source);
/// [`chain`](Self::chain) shows both.
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
    #[error("the camera sent nothing for {after:?} (stall_limit)")]
    Stalled {
        /// The stall limit.
        after: Duration,
    },
    /// The camera sent bytes, but no frame among them.
    #[error("the camera sent no whole picture for {after:?} (three times stall_limit)")]
    NoFrame {
        /// Three times the stall limit.
        after: Duration,
    },
    /// The connection broke.
    #[error("the connection to the camera broke")]
    Read(#[source] io::Error),
    /// A new sender has replaced one that was silent.
    #[error("{by} has taken the place of a sender that was silent")]
    Replaced {
        /// The address of the new sender.
        by: String,
    },
    /// The right to read the camera has ended ([`Tenure`](crate::Tenure)): somebody else may read
    /// it now.
    #[error("the right to read the camera has ended, so the connection was closed")]
    TenureEnded,
    /// The source is a relay that has lost its camera. The connection to it goes on.
    #[error("the relay has lost its camera")]
    RelayOffline,
    /// The source ended with an error of its own.
    #[error(transparent)]
    Source(Box<dyn StdError + Send + Sync>),
}

impl Error {
    /// Shows the error with everything that caused it; see [`ErrorChain`].
    pub fn chain(&self) -> ErrorChain<'_> {
        ErrorChain::new(self)
    }

    /// How long to wait before the next attempt, if the error calls for a time of its own: a camera
    /// that has refused a password may lock the account if it is tried again soon.
    pub fn retry_in(&self) -> Option<Duration> {
        match self {
            Self::Connect(error) => error.retry_in(),
            Self::Source(error) => error.downcast_ref::<ConnectError>()?.retry_in(),
            _ => None,
        }
    }
}

/// Why a connection ended, if its source knows: a reader or stream returns it within an
/// [`io::Error`], into which it converts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceEnd {
    /// The source is exhausted: the ingest ends instead of reconnecting.
    #[error("the source has ended")]
    Finished,
    /// A new sender has connected; the next connection is made to it at once.
    #[error("{by} has taken the place of a sender that was silent")]
    Replaced {
        /// The address of the new sender.
        by: String,
    },
    /// The right to read the source has ended ([`Tenure`](crate::Tenure)).
    #[error("the right to read the camera has ended, so the connection was closed")]
    TenureEnded,
    /// The source failed.
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
    #[error("no connection within {after:?} (connect_timeout)")]
    TimedOut {
        /// The connect timeout.
        after: Duration,
    },
    /// The host name could not be resolved.
    #[error("cannot resolve {host}")]
    Resolve {
        /// The name.
        host: String,
        /// The resolver's error.
        source: io::Error,
    },
    /// The source may reach none of the addresses of the host. The first of them is named. The
    /// caller is at fault.
    #[error(transparent)]
    AddressNotAllowed(#[from] AddressNotAllowed),
    /// The host was found, but refused the connection or could not be reached.
    #[error("cannot connect to {addr}")]
    Failed {
        /// The first of the host's addresses that failed.
        addr: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// A file or socket of this machine could not be opened.
    #[error("cannot open {path}")]
    Open {
        /// Its path.
        path: String,
        /// The system's error.
        source: io::Error,
    },
    /// A program could not be started.
    #[error("cannot start {program}")]
    Start {
        /// The program.
        program: String,
        /// The system's error.
        source: io::Error,
    },
    /// The address could not be listened at.
    #[error("cannot listen at {addr}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// A camera that speaks HTTP was reached, but sends no images. (Feature `http`.)
    #[cfg(feature = "http")]
    #[error(transparent)]
    Http(#[from] HttpError),
    /// A camera that speaks RTSP was reached, but sends no pictures. (Feature `rtsp`.)
    #[cfg(feature = "rtsp")]
    #[error(transparent)]
    Rtsp(#[from] RtspError),
    /// The source is exhausted: the ingest ends instead of trying again.
    #[error("the source has ended")]
    Finished,
    /// The system failed in another way.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A source of another kind failed.
    #[error(transparent)]
    Other(Box<dyn StdError + Send + Sync>),
}

impl ConnectError {
    /// As [`Error::retry_in`].
    pub fn retry_in(&self) -> Option<Duration> {
        match self {
            #[cfg(feature = "http")]
            Self::Http(error) => error.retry_in(),
            #[cfg(feature = "rtsp")]
            Self::Rtsp(error) => error.retry_in(),
            _ => None,
        }
    }
}

/// Displays an error followed by its sources, separated by colons: "cannot connect to
/// 192.168.1.100:6001: Connection refused".
///
/// For logs and other texts that the operator sees; [`FailureKind`](crate::FailureKind) is for
/// everybody. A source whose
/// text the error already ends with is left out. What a camera or a program may have put into the
/// text to steer a terminal is [escaped].
///
/// ```
/// use std::io;
/// use mjpeg_ingest::{ConnectError, Error};
///
/// let source = io::ErrorKind::NotFound.into();
/// let error = Error::from(ConnectError::Open { path: "/a".into(), source });
/// assert_eq!(error.to_string(), "cannot open /a");
/// assert_eq!(error.chain().to_string(), "cannot open /a: entity not found");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ErrorChain<'a>(&'a (dyn StdError + 'static));

impl<'a> ErrorChain<'a> {
    /// Makes the chain of any error.
    pub fn new(error: &'a (dyn StdError + 'static)) -> Self {
        Self(error)
    }
}

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.0.to_string();
        f.write_str(&escaped(&shown))?;
        let mut next = self.0.source();
        while let Some(error) = next {
            let text = error.to_string();
            if !shown.ends_with(&text) {
                write!(f, ": {}", escaped(&text))?;
                shown = text;
            }
            next = error.source();
        }
        Ok(())
    }
}
