//! Measures how browser engines show the relay's streams. `cargo xtask compat engines` builds the
//! relay and this kit, and starts it.

#![allow(clippy::print_stdout, reason = "the kit prints its results")]

mod browser;
mod camera;
mod case;
mod endurance;
mod engine;
mod front;
mod how;
mod install;
mod network;
mod orientation;
mod picture;
mod processes;
mod report;
mod result;
mod seen;
mod suite;
mod wall;
mod wall_cost;

use std::process::ExitCode;

use anyhow::Result;
use kit::{
    flags::{CompatCmd, Engines, Orientation, Wall, XtaskCmd},
    program,
};

use crate::suite::Suite;

fn main() -> ExitCode {
    let outcome = match program::command() {
        XtaskCmd::Compat(compat) => match compat.subcommand {
            CompatCmd::Engines(flags) => run(flags),
            CompatCmd::Orientation(flags) => run_orientation(flags),
            CompatCmd::Wall(flags) => run_wall(flags),
            CompatCmd::Programs(_) => program::not_ours(),
        },
        _ => program::not_ours(),
    };
    program::exit(outcome)
}

fn run(flags: Engines) -> Result<bool> {
    // Inside the namespaces, nothing can be downloaded.
    if flags.install && !network::NAMESPACES.is_inside() {
        install::run()?;
    }
    // Before the kit starts threads: this may replace the process.
    let ip = network::enter()?;
    program::until_signal(async { Suite::new(ip, flags)?.run().await })
}

fn run_orientation(flags: Orientation) -> Result<bool> {
    if flags.install && !network::NAMESPACES.is_inside() {
        install::run()?;
        orientation::install()?;
    }
    let ip = network::enter()?;
    program::until_signal(orientation::run(ip, flags))
}

fn run_wall(flags: Wall) -> Result<bool> {
    if flags.install && !network::NAMESPACES.is_inside() {
        install::run()?;
    }
    let ip = network::enter()?;
    program::until_signal(wall_cost::run(ip, flags))
}
