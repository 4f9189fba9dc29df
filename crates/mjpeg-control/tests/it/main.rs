//! Tests through the public API, over real sockets.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod configurator;
mod support;

mod audit;
mod browsers;
mod document;
mod events;
mod limits;
mod links;
mod local;
mod replay;
mod rights;
mod streams;
mod viewers;
mod wall;
mod writes;

use mjpeg_control::{ControlApi, ControlConfig, ControlService, Error, GatewayPolicy, Hosts};

#[test]
fn public_types_cross_threads() {
    fn all<T: Send + Sync + Unpin + 'static>() {}
    all::<ControlApi>();
    all::<ControlConfig>();
    all::<ControlService>();
    all::<GatewayPolicy>();
    all::<Hosts>();
    all::<Error>();
}
