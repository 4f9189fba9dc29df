//! The lease of a node, and what it has put with it.

use tokio::time::Instant;

use crate::engine::{lease::LeaseId, record::NodeRecord};

/// A lease, and what the node has put with it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LeaseSession {
    pub(crate) lease: LeaseId,
    /// Until when it may be used.
    pub(crate) fence: Instant,
    /// When to send the next keepalive.
    pub(crate) alive_at: Instant,
    pub(crate) recorded: Option<Recorded>,
    /// The engine has admitted the node; the view may not show it yet.
    pub(crate) admitted: bool,
}

/// The node's record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Recorded {
    /// The revision at which it was made.
    pub(crate) created: u64,
    pub(crate) record: NodeRecord,
}
