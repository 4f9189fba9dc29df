//! What crosses between nodes, over real sockets.

#[cfg(target_os = "linux")]
mod cost;
mod hostile;
mod liveness;
mod node;
mod peer;
#[cfg(feature = "__fuzzing")]
mod replay;
mod routes;
mod stream;
#[cfg(feature = "tls")]
mod tls;
