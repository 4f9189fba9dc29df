//! Cameras that speak HTTP.

mod address;
mod ask;
mod camera;
pub(super) mod challenge;
mod chunks;
mod cookies;
mod extent;
mod feed;
#[cfg(feature = "__fuzzing")]
pub mod fuzzing;
pub(super) mod head;
pub(super) mod login;
mod polled;
mod reading;
mod request;
pub(super) mod response;
mod session;
pub(super) mod settings;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "tls")]
mod trust;
pub(super) mod url;
pub(super) mod wire;

pub use camera::HttpCamera;
