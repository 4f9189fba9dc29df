//! What crosses from the node that owns a camera to those that only show it.
//!
//! The owner is asked for `GET /cluster/v1/streams/NAME` and answers with a multipart stream that
//! never ends. Parts of the type `image/jpeg` are frames, each sent once, with the headers by which
//! relays describe them ([`RelayHeaders`](mjpeg_codec::multipart::RelayHeaders)). Parts of the type
//! `application/json` say how the camera is: at once when that changes, and every second. Each part
//! has a length, so that the reader searches for nothing.
//!
//! `GET /cluster/v1/engine` tells whether the node reaches what the cluster agrees by.

pub(crate) mod address;
mod answers;
mod body;
pub(crate) mod client;
pub(crate) mod config;
pub(crate) mod connector;
mod edges;
pub(crate) mod error;
#[cfg(feature = "__fuzzing")]
pub mod fuzzing;
mod head;
pub(crate) mod node;
mod parts;
mod paths;
mod pulling;
pub(crate) mod pulls;
pub(crate) mod server;
pub(crate) mod state;
pub(crate) mod stats;
#[cfg(feature = "tls")]
pub(crate) mod tls;
