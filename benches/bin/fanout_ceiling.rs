//! The reference of the load benchmark: the least that a server can do for its viewers.

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    benches::fanout::ceiling()
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("error: the load benchmark needs epoll, so Linux");
    ExitCode::FAILURE
}
