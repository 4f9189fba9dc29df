//! Fake cameras, raw viewers, seeded faults and small real JPEGs for this workspace's tests.
//!
//! The kit stands beside the stack: it depends on no crate of the workspace, so each of them can use it in its own
//! unit tests without meeting its types twice. It talks to the code under test as the outside world does, in bytes over
//! TCP, and keeps its own small JPEG walk and HTTP reader, so that a mistake in ours is not repeated here.
//!
//! ```
//! use std::time::Duration;
//!
//! use mjpeg_testkit::{Camera, Script, jpeg};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let frames = (0..3).map(jpeg::numbered).collect();
//! let camera = Camera::start(Script::live(frames, Duration::from_millis(40))).await;
//! assert!(camera.url().starts_with("tcp://127.0.0.1:"));
//! // … point the code under test at `camera.url()` …
//! camera.shutdown().await;
//! assert_eq!(camera.connections(), 0);
//! # }
//! ```
//!
//! ## Time
//!
//! Cameras and viewers use real sockets, so they need real time: under tokio's paused clock a wait would be skipped
//! while bytes are still on their way through the kernel. [`jpeg`] and [`Faults`] do no IO and fit any test.
//!
//! ## Failing
//!
//! A broken test must end and say why. What a test gets wrong (a script that jumps nowhere, a payload too long for its
//! segment) panics; what the peer gets wrong is an [`std::io::Error`] whose text tells what was expected; and a peer
//! that says nothing for ten seconds is [`TimedOut`](std::io::ErrorKind::TimedOut).

#![allow(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    reason = "unpublished: its only users are this workspace's tests, which change together with it"
)]

mod camera;
mod connection;
mod dead_end;
mod faults;
mod http_camera;
pub mod jpeg;
mod parts;
mod request;
mod script;
mod viewer;
mod walk;
mod wire;

pub use camera::Camera;
pub use dead_end::{FullBacklog, refused_addr};
pub use faults::{Damaged, Faults};
pub use http_camera::{Asked, HttpCamera};
pub use request::{Response, request};
pub use script::{Script, Step};
pub use viewer::{Part, Viewer};
pub use wire::Head;
