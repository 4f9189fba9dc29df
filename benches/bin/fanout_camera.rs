//! The load benchmark's camera: JPEG pictures of one size at a fixed rate, each stamped with its
//! number and time.

use std::process::ExitCode;

fn main() -> ExitCode {
    benches::fanout::camera()
}
