//! Measures and breaks a cluster of relays. `cargo xtask cluster` builds the relay with its feature
//! `cluster` and this program, and starts it.

#![allow(clippy::print_stdout, reason = "the kit prints what it finds")]

mod camera;
mod case;
mod cases;
mod measure;
mod pictures;
mod reader;
mod rig;
mod seen;
mod suite;
mod table;
mod wait;
mod watcher;

use std::{env, process::ExitCode};

use anyhow::Result;
use kit::{flags::XtaskCmd, program};

fn main() -> ExitCode {
    // The kit is also a reader that it starts itself.
    if env::args_os()
        .nth(1)
        .is_some_and(|word| word == reader::WORD)
    {
        return program::exit(reader::main().map(|()| true));
    }
    program::exit(run())
}

/// Returns whether every row is within its limit.
fn run() -> Result<bool> {
    // Before any thread starts, because it may replace this process.
    let has_network = rig::network::enter()?;
    match program::command() {
        XtaskCmd::Cluster(flags) => program::until_signal(suite::run(&flags, has_network)),
        _ => program::not_ours(),
    }
}
