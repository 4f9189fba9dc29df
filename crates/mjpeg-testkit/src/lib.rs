//! Fake cameras, raw viewers, seeded faults and small real JPEGs for this workspace's tests.
//!
//! The kit depends on no crate of the workspace, so each of them can use it in its own unit tests
//! without seeing its types twice. It talks to the code under test in bytes over TCP, and has its
//! own small JPEG walk and HTTP reader, so that it does not repeat a mistake of the code under
//! test.
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
//! Cameras and viewers use real sockets, so they need real time: tokio's paused clock would skip a
//! wait while bytes are still on their way through the kernel. [`jpeg`] and [`Faults`] do no IO, so
//! any test can use them.
//!
//! ## Failing
//!
//! A test that fails must end and say why. A mistake in the test, such as a payload too long for
//! its segment, is a panic. A mistake of the peer is an [`std::io::Error`] whose text says what was
//! expected. A peer that sends nothing for ten seconds is
//! [`TimedOut`](std::io::ErrorKind::TimedOut).

#![allow(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    reason = "unpublished: its only users are this workspace's tests, which change together with it"
)]

mod camera;
mod connection;
mod dead_end;
mod fake_http_camera;
mod faults;
mod flaky_link;
mod http;
mod issuer;
pub mod jpeg;
mod parts;
mod plan;
mod request;
mod rtp;
mod rtsp;
mod script;
#[cfg(target_os = "linux")]
mod v4l2;
mod viewer;
mod walk;
mod wall;

pub use camera::Camera;
pub use dead_end::{FullBacklog, refused_addr};
pub use fake_http_camera::FakeHttpCamera;
pub use faults::{Damaged, Faults};
pub use flaky_link::FlakyLink;
pub use http::Head;
pub use issuer::IssuerKey;
pub use plan::ReceivedRequest;
pub use request::{Response, request};
pub use rtp::{RtpSender, RtpTables};
pub use rtsp::{FakeRtspCamera, RtspAnswers};
pub use script::{Script, Step};
#[cfg(target_os = "linux")]
pub use v4l2::V4l2StandIn;
pub use viewer::{ReceivedPart, Viewer};
pub use wall::{WallClient, WallMessage, WallPicture};
