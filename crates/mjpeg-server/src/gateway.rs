//! Gateways: ports and sockets that each serve all streams, by name.

mod bind;
pub(crate) mod config;
pub(crate) mod control_socket;
mod open;
pub(crate) mod routes;
pub(crate) mod running;
mod site;
pub(crate) mod state;
mod tls;
