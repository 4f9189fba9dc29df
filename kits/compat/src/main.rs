//! Lets the programs that people view cameras with read the real `mjpeg-server`, and counts what
//! they see. `cargo xtask compat programs` builds and starts this.

#![allow(clippy::print_stdout, reason = "the kit prints what it finds")]
#![allow(
    clippy::disallowed_methods,
    reason = "no async runtime here: std's clock and sleep are the right ones"
)]

mod launch;
mod needs;
mod parsers;
mod picture;
mod prepared;
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
            CompatCmd::Engines(_) => program::not_ours(),
        },
        _ => program::not_ours(),
    };
    program::exit(outcome.map(|()| true))
}
