//! Lets the programs with which people view cameras read the real `mjpeg-server`, and counts the
//! pictures that they see. `cargo xtask compat programs` builds and starts this kit.

#![allow(clippy::print_stdout, reason = "the kit prints its results")]
#![allow(
    clippy::disallowed_methods,
    reason = "without an async runtime, std's clock and sleep are the right ones"
)]

mod needs;
mod parsers;
mod picture;
mod programs;
mod relay;
mod rows;
mod session;
mod setting;
mod table;
mod viewers;

use std::process::ExitCode;

use kit::flags::{CompatCmd, XtaskCmd};
use kit::program;

fn main() -> ExitCode {
    let outcome = match program::command() {
        XtaskCmd::Compat(compat) => match compat.subcommand {
            CompatCmd::Programs(flags) => programs::run(&flags),
            CompatCmd::Engines(_) | CompatCmd::Orientation(_) | CompatCmd::Wall(_) => {
                program::not_ours()
            }
        },
        _ => program::not_ours(),
    };
    program::exit(outcome.map(|()| true))
}
