//! Why there is no listener.

use std::{io, net::SocketAddr};

/// Why [`Listener::bind`](crate::Listener::bind) failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Another socket has the port, in this process or another one. The caller must choose another port.
    #[error("{addr} is in use by another program or stream")]
    InUse {
        /// The address asked for.
        addr: SocketAddr,
    },
    /// The system does not let this process listen there: no such address on this machine, or no right to use that port.
    #[error("cannot listen on {addr}: {source}")]
    Failed {
        /// The address asked for.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}
