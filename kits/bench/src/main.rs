//! Measures the relay under load, beside a reference. `cargo xtask bench` builds and starts this;
//! the programs that it runs beside the relay belong to `benches/`.

#![allow(clippy::print_stdout, reason = "the kit prints what it finds")]
#![allow(
    clippy::disallowed_methods,
    reason = "no async runtime here: std's clock and sleep are the right ones"
)]

mod cases;
mod circumstances;
mod fanout;
mod lag;
mod netns;
mod programs;
mod reference;
mod report;
mod run;
mod stats;

use std::process::ExitCode;

use kit::flags::{BenchCmd, XtaskCmd};
use kit::program;

fn main() -> ExitCode {
    let outcome = match program::command() {
        XtaskCmd::Bench(bench) => match bench.subcommand {
            BenchCmd::Fanout(flags) => fanout::run(&flags),
            BenchCmd::Lag(flags) => lag::run(&flags),
        },
        _ => program::not_ours(),
    };
    program::exit(outcome.map(|()| true))
}
