//! Limits and times: of a stream, and of a listener.

use std::time::Duration;

pub(crate) mod listener;
pub(crate) mod stream;

/// A setting is out of bounds; the caller is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidConfig {
    /// The keepalive is too short.
    #[error("the keepalive must be at least {least:?}")]
    Keepalive {
        /// The shortest that is accepted.
        least: Duration,
    },
    /// The limit on request heads is too small.
    #[error("the limit on request heads must be at least {least} bytes")]
    MaxHeaderBytes {
        /// The smallest that is accepted, in bytes.
        least: usize,
    },
    /// The limit on connections that are being wrapped is 0.
    #[error("at least one handshake must be allowed")]
    MaxHandshakes,
    /// The limit on requests of an HTTP/2 connection is 0.
    #[error("at least one request must be allowed on an HTTP/2 connection")]
    MaxHttp2Streams,
    /// The limit on frames per second is not a number above 0.
    #[error("the most frames per second must be a number above 0")]
    MaxFps,
    /// The base path is none.
    #[error(
        "the base path must begin with a slash and have no '?', '#', blank or control character"
    )]
    BasePath,
    /// The limit on kilobits per second is not a number above 0.
    #[error("the most kilobits per second must be a number above 0")]
    MaxKbps,
}

/// In effect no limit, yet small enough that adding it to a time cannot overflow.
pub(crate) const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
