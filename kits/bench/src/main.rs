//! Measures the relay under load, next to a reference. `cargo xtask bench` builds and starts this
//! kit. The camera, the viewers and the reference are programs of `benches/`.

#![allow(clippy::print_stdout, reason = "the kit prints its results")]
#![allow(
    clippy::disallowed_methods,
    reason = "without an async runtime, std's clock and sleep are the right ones"
)]

mod cases;
mod circumstances;
mod fanout;
mod figures;
mod lag;
mod links;
mod programs;
mod reference;
mod replay;
mod report;
mod run;
mod side;
mod stats;

use std::process::ExitCode;

use kit::flags::{BenchCmd, XtaskCmd};
use kit::program;

fn main() -> ExitCode {
    let outcome = match program::command() {
        XtaskCmd::Bench(bench) => match bench.subcommand {
            BenchCmd::Fanout(flags) => fanout::run(&flags),
            BenchCmd::Lag(flags) => lag::run(flags),
            BenchCmd::Replay(flags) => replay::run(&flags),
        },
        _ => program::not_ours(),
    };
    program::exit(outcome.map(|()| true))
}
