//! The paths and headers of the link.

/// Where a stream is asked for, before its name.
pub(super) const STREAMS: &str = "/cluster/v1/streams/";

/// Where a node is asked whether it reaches the engine.
pub(super) const ENGINE: &str = "/cluster/v1/engine";

/// The query of a request that comes by way of the owner: the node that is asked passes on what it
/// reads there.
pub(super) const HOP: &str = "hop=1";

/// The node that asks: its name and its address.
pub(super) const NODE: &str = "x-cluster-node";

/// The node that owns the stream: its name and its address.
pub(super) const OWNER: &str = "x-owner";

/// How many nodes stand between the one that answers and the owner.
pub(super) const DEPTH: &str = "x-cluster-depth";

/// The most nodes that may stand between a viewer's and the owner: one, a hub.
pub(super) const MAX_DEPTH: u8 = 2;
