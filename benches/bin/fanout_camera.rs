//! A camera for the load benchmark: JPEG pictures of one size at a fixed rate, each stamped with
//! its number and time.

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    benches::fanout::camera()
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("error: the load benchmark needs epoll, so Linux");
    ExitCode::FAILURE
}
