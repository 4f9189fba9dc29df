//! Tests of the public API: what is kept, whatever happens to the program, the disk and the files.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod auto_traits;
mod batches;
#[cfg(target_os = "linux")]
mod failing_disk;
mod full_disk;
mod hostile;
mod killed;
mod limits;
#[cfg(target_os = "linux")]
mod memory;
mod movies;
#[cfg(feature = "__fuzzing")]
mod replay;
mod store;
mod support;
#[cfg(target_os = "linux")]
mod syncs;
mod torn;
