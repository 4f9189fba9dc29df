//! Why a listener could not be bound.

use std::io;

use crate::address::ListenAddress;

/// Why a [`Listener`](crate::Listener) could not be bound.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Another socket, of this process or another one, has the address. The caller must choose
    /// another.
    #[error("{address} is in use by another program or stream")]
    InUse {
        /// The address asked for.
        address: ListenAddress,
    },
    /// The system does not let this process listen there: the machine has no such address, or the
    /// process lacks the permission.
    #[error("cannot listen on {address}")]
    Failed {
        /// The address asked for.
        address: ListenAddress,
        /// The system's error.
        source: io::Error,
    },
}
