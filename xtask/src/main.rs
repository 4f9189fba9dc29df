//! The workspace's own tasks. `cargo xtask ci` is the one definition of "checked"; every other
//! command is one of its steps, to be run alone while working on it.

#![allow(
    clippy::print_stdout,
    reason = "a task runner talks to the terminal; the lint is for the libraries"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "no async runtime here: std's clock and sleep are the right ones"
)]

mod api;
mod bench;
mod ci;
mod compat;
mod consumers;
mod corpus;
mod examples;
mod faults;
mod flags;
mod frames;
mod fuzz;
mod layers;
mod tidy;
mod tools;
mod util;

use std::process::ExitCode;

use anyhow::Result;

use crate::flags::{BenchCmd, XtaskCmd};
use crate::util::Workspace;

fn main() -> ExitCode {
    let flags = flags::Xtask::from_env_or_exit();
    match run(flags.subcommand) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not by returning it: with RUST_BACKTRACE set, a backtrace would bury what to do.
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: XtaskCmd) -> Result<()> {
    // Only for those that need it: the others read files, wherever they lie, and start at once.
    let workspace = Workspace::load;
    match command {
        XtaskCmd::Ci(ci) => ci::run(&workspace()?, ci.install),
        XtaskCmd::Layers(_) => layers::run(&workspace()?),
        XtaskCmd::Tidy(tidy) if tidy.lines => tidy::print_lines(&workspace()?),
        XtaskCmd::Tidy(_) => tidy::run(&workspace()?),
        XtaskCmd::Api(api) => api::run(&workspace()?, api.bless),
        XtaskCmd::Examples(_) => examples::run(&workspace()?),
        XtaskCmd::Consumers(_) => consumers::run(&workspace()?),
        XtaskCmd::Fuzz(fuzz) => fuzz::run(
            &workspace()?,
            fuzz.seconds.unwrap_or(fuzz::DEFAULT_SECONDS),
            fuzz.target.as_deref(),
        ),
        XtaskCmd::Bench(bench) => match bench.subcommand {
            BenchCmd::Fanout(fanout) => bench::run(&workspace()?, &fanout),
            BenchCmd::Lag(lag) => bench::lag::run(&workspace()?, &lag),
        },
        XtaskCmd::Compat(compat) => compat::run(&workspace()?, compat.subcommand),
        XtaskCmd::Faults(flags) => faults::run(&workspace()?, &flags),
        XtaskCmd::Soak(flags) => faults::soak(&workspace()?, &flags),
        XtaskCmd::Corpus(corpus) => corpus::run(&corpus.dir),
        XtaskCmd::Frames(frames) => frames::run(&frames.file),
    }
}
