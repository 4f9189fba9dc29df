//! Cameras that speak HTTP.

mod address;
mod ask;
mod camera;
mod challenge;
mod chunks;
mod cookies;
mod extent;
mod feed;
#[cfg(feature = "__fuzzing")]
pub mod fuzzing;
mod head;
mod login;
mod polled;
mod reading;
mod request;
mod response;
mod session;
mod settings;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "tls")]
mod trust;
mod url;
mod wire;

pub use camera::HttpCamera;
