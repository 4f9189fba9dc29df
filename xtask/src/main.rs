//! The workspace's tasks. `cargo xtask ci` defines "checked". Most other commands run one of its
//! steps alone.

#![allow(
    clippy::print_stdout,
    reason = "a task runner prints to the terminal; the lint is for libraries"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "without an async runtime, std's clock and sleep are the right ones"
)]

mod api;
mod ci;
mod consumers;
mod debian;
mod examples;
mod flags;
mod fuzz;
mod kits;
mod layers;
mod schemathesis;
mod tidy;
mod tools;
mod util;

use std::process::ExitCode;

use anyhow::Result;

use crate::flags::XtaskCmd;
use crate::util::Workspace;

fn main() -> ExitCode {
    let flags = flags::Xtask::from_env_or_exit();
    let outcome = Workspace::load().and_then(|workspace| run(&workspace, flags.subcommand));
    outcome.unwrap_or_else(|error| {
        // Returned from `main`, it would be printed with a backtrace if RUST_BACKTRACE is set.
        eprintln!("\nerror: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(workspace: &Workspace, command: XtaskCmd) -> Result<ExitCode> {
    match command {
        XtaskCmd::Ci(ci) => ci::run(workspace, ci.install, ci.from.as_deref())?,
        XtaskCmd::Layers(_) => layers::run(workspace)?,
        XtaskCmd::Tidy(tidy) if tidy.lines => tidy::print_lines(workspace)?,
        XtaskCmd::Tidy(_) => tidy::run(workspace)?,
        XtaskCmd::Api(api) => api::run(workspace, api.bless)?,
        XtaskCmd::Examples(_) => examples::run(workspace)?,
        XtaskCmd::Consumers(_) => consumers::run(workspace)?,
        XtaskCmd::Fuzz(fuzz) => fuzz::run(
            workspace,
            fuzz.seconds.unwrap_or(fuzz::DEFAULT_SECONDS),
            fuzz.target.as_deref(),
        )?,
        XtaskCmd::Schemathesis(flags) => schemathesis::run(
            workspace,
            flags.examples.unwrap_or(schemathesis::DEFAULT_EXAMPLES),
            flags.seed.unwrap_or(schemathesis::DEFAULT_SEED),
        )?,
        command => return kits::hand_on(workspace, &command),
    }
    Ok(ExitCode::SUCCESS)
}
