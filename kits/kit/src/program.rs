//! How a kit starts and ends.

use std::process::ExitCode;

use anyhow::{Result, bail};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::flags::{Xtask, XtaskCmd};

/// The command that `cargo xtask` was given and hands on to its kit, word for word.
#[must_use]
pub fn command() -> XtaskCmd {
    Xtask::from_env_or_exit().subcommand
}

/// Turns what a kit found into its exit code: 0 if everything holds, else 1. Prints the error.
#[must_use]
pub fn exit(outcome: Result<bool>) -> ExitCode {
    match outcome {
        Ok(true) => return ExitCode::SUCCESS,
        Ok(false) => eprintln!("\nerror: something does not hold, see above"),
        // Printed here because `main` would add a backtrace where RUST_BACKTRACE is set.
        Err(error) => eprintln!("\nerror: {error:#}"),
    }
    ExitCode::FAILURE
}

/// Runs a kit to its end, or until SIGTERM or SIGINT.
///
/// In a process namespace of its own the kit is process 1, which no signal ends by itself.
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

/// The error of a kit that was started with another kit's command.
pub fn not_ours<T>() -> Result<T> {
    bail!("this kit has no such command; start it with `cargo xtask`")
}
