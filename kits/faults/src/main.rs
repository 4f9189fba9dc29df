//! Injects faults into a running relay and counts what is lost. `cargo xtask faults` and
//! `cargo xtask soak` build the relay and this program, and start it.

#![allow(clippy::print_stdout, reason = "the kit prints what it finds")]

mod camera;
mod case;
mod cases;
mod cpu_waits;
mod faketime;
mod inside;
mod launch;
mod network;
mod rig;
mod sequence;
mod setting;
mod soak;
mod subject;
mod suite;
mod table;
mod undisturbed;
mod wait;
mod watcher;

use std::{env, process::ExitCode};

use anyhow::Result;
use kit::{flags::XtaskCmd, program};

fn main() -> ExitCode {
    // The kit is also the relay under test: cases start it again with this argument.
    if env::args_os().nth(1).is_some_and(|word| word == "relay") {
        return program::exit(inside::main().map(|()| true));
    }
    program::exit(run())
}

/// Returns whether all requirements hold.
fn run() -> Result<bool> {
    // Before any thread starts, because it may replace this process.
    let has_network = network::enter()?;
    undisturbed::start()?;
    match program::command() {
        XtaskCmd::Faults(flags) => program::until_signal(suite::run(&flags, has_network)),
        XtaskCmd::Soak(flags) => program::until_signal(soak::run(&flags)),
        _ => program::not_ours(),
    }
}
