//! Gateways: ports and sockets that each serve all streams, by name.

pub(crate) mod config;
pub(crate) mod routes;
pub(crate) mod running;
mod site;
pub(crate) mod state;
mod tls;
