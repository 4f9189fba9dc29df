//! This relay as a node of a cluster: who reads which camera is agreed on by all nodes, and each
//! reads from the others what it does not read itself.

#[cfg(not(feature = "cluster"))]
mod absent;
#[cfg(feature = "cluster")]
mod control;
pub(crate) mod figures;
#[cfg(feature = "cluster")]
pub(crate) mod join;
#[cfg(feature = "cluster")]
mod link;
#[cfg(feature = "cluster")]
mod node;
#[cfg(feature = "cluster")]
mod places;
#[cfg(feature = "cluster")]
pub(crate) mod plan;
#[cfg(feature = "cluster")]
mod registry;

#[cfg(not(feature = "cluster"))]
pub(crate) use absent::{RelayNode, join, plan};
#[cfg(feature = "cluster")]
pub(crate) use node::RelayNode;
