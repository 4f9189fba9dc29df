//! Why there is no listener.

use std::io;

use crate::address::ListenAddress;

/// Why a [`Listener`](crate::Listener) could not be bound.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Another socket has the address, in this process or another one. The caller must choose another
    /// one.
    #[error("{address} is in use by another program or stream")]
    InUse {
        /// The address asked for.
        address: ListenAddress,
    },
    /// The system does not let this process listen there: this machine has no such address, or the
    /// process has no right to it.
    #[error("cannot listen on {address}")]
    Failed {
        /// The address asked for.
        address: ListenAddress,
        /// What the system said.
        source: io::Error,
    },
}
