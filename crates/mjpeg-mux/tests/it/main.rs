//! Tests of the public API, with programs that read what it makes.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod auto_traits;
mod avi;
mod formats;
mod large;
#[cfg(target_os = "linux")]
mod memory;
mod mjpeg;
mod mov;
mod muxer;
mod plan;
mod programs;
#[cfg(feature = "__fuzzing")]
mod replay;
mod riff;
mod sparse;
mod support;
mod zip;
