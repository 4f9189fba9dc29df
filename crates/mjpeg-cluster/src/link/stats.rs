//! What the link counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a [`LinkServer`](crate::LinkServer) has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkServerStats {
    /// Nodes that read a stream from this one now, over all streams.
    pub edges: u64,
    /// Requests that were sent to the owner of their stream (`421`).
    pub misdirected: u64,
    /// Requests that were sent to a hub (`307`).
    pub redirected: u64,
    /// Requests that were refused because of
    /// [`max_edges`](crate::LinkConfig::with_max_edges) (`503`).
    pub refused_edges: u64,
    /// Requests that were refused by the limits of their stream, or as nobody owns it (`503`).
    pub refused: u64,
    /// Requests whose frames would come back, or pass through too many relays (`508`).
    pub loops: u64,
}

/// What a [`LinkClient`](crate::LinkClient) has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkClientStats {
    /// Streams that were read from other nodes.
    pub pulls: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Streams that ended because the other node sent nothing for 3 s.
    pub silent: u64,
    /// Streams that ended because the other node sent what the link does not allow.
    pub broken: u64,
    /// Attempts that failed because a node named an address that is none of a
    /// [known](crate::LinkClient::with_known) node.
    pub strangers: u64,
}

/// A counter.
#[derive(Debug, Default)]
pub(super) struct LinkCounter(AtomicU64);

impl LinkCounter {
    pub(super) fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
