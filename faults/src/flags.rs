//! The command line. `cargo xtask faults --help` and `cargo xtask soak --help` document it.

#![allow(
    unreachable_pub,
    reason = "the macro writes `pub` on the structs it generates"
)]

use std::path::PathBuf;

xflags::xflags! {
    /// Injects faults into a running relay and counts what is lost.
    cmd faults {
        /// Runs the cases.
        cmd run {
            /// The program mjpeg-server.
            required server: PathBuf
            /// Only the cheap ones of each kind.
            optional --short
            /// Only this case; repeat for more.
            repeated --case name: String
            /// What picks the faults.
            optional --seed seed: u64
            /// Name the cases and end.
            optional --list
            /// Run a relay that lacks this.
            optional --without what: String
            /// Put the table into this file, between its marks.
            optional --record file: PathBuf
        }
        /// Many cameras and viewers with random faults, for long.
        cmd soak {
            /// How long.
            required --minutes minutes: u64
            /// What picks the faults.
            optional --seed seed: u64
            /// Put the figures into this file, between its marks.
            optional --record file: PathBuf
        }
        /// The relay under test: commands on standard input, answers on standard output.
        cmd relay {}
    }
}
