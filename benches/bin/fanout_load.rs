//! The load benchmark's viewers: many connections in one thread, and a report at the end.

use std::process::ExitCode;

fn main() -> ExitCode {
    benches::fanout::load()
}
