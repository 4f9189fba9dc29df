//! Cameras that speak HTTP.

mod address;
mod body;
mod camera;
#[cfg(feature = "__fuzzing")]
pub mod fuzzing;
mod link;
mod response;
mod session;
mod settings;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "tls")]
mod trust;
mod url;

pub use camera::HttpCamera;
