//! The `mjpeg-server` command; see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    mjpeg_server::main()
}
