//! The start and the end of a kit.

use std::process::ExitCode;

use anyhow::{Result, bail};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::flags::{Xtask, XtaskCmd};

/// Parses the command line, which `cargo xtask` passes on unchanged.
#[must_use]
pub fn command() -> XtaskCmd {
    Xtask::from_env_or_exit().subcommand
}

/// Turns a kit's outcome into its exit code: 0 if all requirements hold, else 1. Prints errors.
#[must_use]
pub fn exit(outcome: Result<bool>) -> ExitCode {
    match outcome {
        Ok(true) => return ExitCode::SUCCESS,
        Ok(false) => eprintln!("\nerror: something does not hold, see above"),
        // Returned from `main`, it would be printed with a backtrace if RUST_BACKTRACE is set.
        Err(error) => eprintln!("\nerror: {error:#}"),
    }
    ExitCode::FAILURE
}

/// Runs a kit until it ends, or until SIGTERM or SIGINT.
///
/// In a process namespace of its own the kit is process 1, which ignores signals that it does not
/// handle.
pub fn until_signal(kit: impl Future<Output = Result<bool>>) -> Result<bool> {
    Runtime::new()?.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            done = kit => done,
            _ = terminate.recv() => bail!("ended by a signal"),
            _ = tokio::signal::ctrl_c() => bail!("ended by a signal"),
        }
    })
}

/// The error for a command that belongs to another kit.
pub fn not_ours<T>() -> Result<T> {
    bail!("this kit has no such command; start it with `cargo xtask`")
}
