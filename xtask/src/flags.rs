//! Every command, declared once. The help text is the documentation: `cargo xtask --help`.

#![allow(
    unreachable_pub,
    reason = "the macro writes `pub` on the structs it generates"
)]

xflags::xflags! {
    /// Tasks of this workspace. Run as `cargo xtask COMMAND`.
    cmd xtask {
        /// Run every check, the cheapest first; stop at the first that fails.
        cmd ci {
            /// First install the tools that are missing: Debian packages, cargo tools, toolchain.
            optional --install
        }
        /// Check which crate may depend on which, and what none of them may reach.
        cmd layers {}
        /// Check what no compiler checks: manifests, file sizes, docs, examples, test data.
        cmd tidy {}
        /// Compare each published crate's public API with its snapshot in `public-api/`.
        cmd api {
            /// Accept the API as it is now: write the snapshots anew.
            optional --bless
        }
        /// Run every example without arguments; each must end by itself, well.
        cmd examples {}
        /// Pack every published crate and use each alone, from its tarball, as a stranger would.
        cmd consumers {}
        /// Run the fuzz targets; needs nightly and cargo-fuzz.
        cmd fuzz {
            /// Seconds for each target (default: 60).
            optional --seconds seconds: u32
            /// Only this target.
            optional --target target: String
        }
    }
}
