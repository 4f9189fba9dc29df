//! Programs of the load benchmark of the HTTP fan-out: a camera, the reference server and the
//! viewers. `cargo xtask bench fanout` runs them beside the relay; README.md tells what comes of
//! it.
//!
//! All are synchronous and have one thread, or one per connection, so that what they cost is easy
//! to tell.

mod camera;
mod ceiling;
mod clock;
mod load;
mod picture;
mod proc;
mod system;
mod wire;

use std::process::ExitCode;

use anyhow::Result;

pub use camera::main as camera;
pub use ceiling::main as ceiling;
pub use load::main as load;

/// Says on standard error why a program failed.
fn exit(outcome: Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
