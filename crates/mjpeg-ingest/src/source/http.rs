//! Cameras that speak HTTP.

pub(super) mod address;
mod ask;
mod camera;
pub(super) mod camera_url;
pub(super) mod challenge;
mod chunks;
mod cookies;
pub(super) mod extent;
mod feed;
#[cfg(feature = "__fuzzing")]
pub(super) mod fuzzing;
pub(super) mod head;
pub(super) mod line;
pub(super) mod login;
mod oddities;
pub(super) mod polled;
mod reading;
mod request;
pub(super) mod response;
mod session;
pub(super) mod settings;
#[cfg(feature = "tls")]
pub(super) mod tls;
#[cfg(feature = "tls")]
pub(super) mod trust;
mod url;
pub(super) mod wanted;
pub(super) mod wire;

pub use camera::HttpCamera;
