//! What crosses between nodes, over real sockets.

#[cfg(target_os = "linux")]
mod cost;
mod hostile;
mod limits;
mod liveness;
pub(crate) mod node;
#[cfg(all(feature = "etcd", unix))]
mod nodes;
pub(crate) mod peer;
#[cfg(feature = "__fuzzing")]
mod replay;
mod routes;
mod stream;
#[cfg(feature = "tls")]
mod tls;
mod told;
