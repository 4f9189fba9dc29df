//! The port: accepts connections, reads requests, and routes them.

pub(crate) mod accept;
mod accept_outage;
pub(crate) mod connection;
pub(crate) mod context;
pub(crate) mod detach;
pub(crate) mod fallback;
pub(crate) mod guarded;
pub(crate) mod handle;
pub(crate) mod handoff;
pub(crate) mod handshakes;
#[cfg(feature = "http2")]
pub(crate) mod http2;
pub(crate) mod listener;
pub(crate) mod outgoing;
pub(crate) mod streams;
