//! The programs of the fan-out's load benchmark, which `bin/` starts. The other benchmarks are next
//! to this file. README.md describes both.

#[cfg(target_os = "linux")]
pub mod fanout;

/// The programs need epoll and `MSG_TRUNC`. On other systems they only print that.
#[cfg(not(target_os = "linux"))]
pub mod fanout {
    pub use self::{camera as ceiling, camera as load};

    /// Prints that the program needs Linux.
    pub fn camera() -> std::process::ExitCode {
        eprintln!("error: the load benchmark needs Linux");
        std::process::ExitCode::FAILURE
    }
}

#[cfg(target_os = "linux")]
pub mod tls_cost;

/// The program reads `/proc`. On other systems it only prints that.
#[cfg(not(target_os = "linux"))]
pub mod tls_cost {
    pub use crate::fanout::camera as main;
}
