//! Tests through the public API, over real sockets.
#![cfg(feature = "listener")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod apply;
mod bursts;
mod custom;
#[cfg(feature = "detect")]
mod detect;
mod errors;
mod events;
mod leaks;
// It needs drawn placeholders.
#[cfg(feature = "placeholder")]
mod life;
mod lifecycle;
mod limits;
mod outlets;
#[cfg(feature = "replay")]
mod replay;
#[cfg(feature = "serde")]
mod serialized;
mod shared_port;
mod status;
mod support;

use mjpeg_manager::{
    Error, Manager, ManagerConfig, ManagerStats, StreamInfo, StreamName, StreamSpec,
};

#[test]
fn public_types_cross_threads() {
    fn all<T: Send + Sync + Unpin + 'static>() {}
    all::<Manager>();
    all::<ManagerConfig>();
    all::<ManagerStats>();
    all::<StreamSpec>();
    all::<StreamName>();
    all::<StreamInfo>();
    all::<Error>();
}

/// A call's future must be able to run on any worker.
#[test]
fn futures_cross_threads() {
    fn send<T: Send>(_: T) {}
    let manager = Manager::new(ManagerConfig::default());
    send(manager.start(StreamSpec::parse("a", "tcp://127.0.0.1:1").unwrap()));
    send(manager.stop("a"));
    send(manager.shutdown());
}
