//! The viewers of the load benchmark: many connections, one thread, a report at the end.

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    benches::fanout::load()
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("error: the load benchmark needs epoll, so Linux");
    ExitCode::FAILURE
}
