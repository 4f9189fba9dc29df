//! The load benchmark's reference server: it does the least that a server can do for its viewers.

use std::process::ExitCode;

fn main() -> ExitCode {
    benches::fanout::ceiling()
}
