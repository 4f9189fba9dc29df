//! Every command, declared once. The help text is the documentation: `cargo xtask --help`. The kits
//! read their command line with this file too: `kits/kit` includes it.

#![allow(
    missing_docs,
    unreachable_pub,
    reason = "the macro writes `pub`, without docs, on the structs it generates"
)]

use std::path::PathBuf;

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
        /// Check what no compiler checks: manifests, imports, sizes, comments, docs, test data.
        cmd tidy {
            /// Only print how many lines of Rust there are, by crate or folder.
            optional --lines
        }
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
        /// Score the splitter on a folder of streams with known truth, NAME.mjpeg + NAME.json each.
        ///
        /// Prints a line per stream: the frames a splitter must recover (`expected`), how many of
        /// them came out exactly or not (`exact`, `missed`; a frame with bytes too many is missed),
        /// how many came out that are none (`false`), and whether each byte lies in one frame or
        /// one discarded range (`accounted`). What touches only damage counts neither way. Below
        /// the table, each answer that differs from the truth, with what happened instead.
        ///
        /// Exit code 1 if a stream is not perfect, unless its truth says that it is debatable; also
        /// if one cannot be scored: no partner, not understood, sizes or checksum that do not
        /// match.
        cmd corpus {
            /// The folder, as `../shared/corpus`; subfolders are not looked into.
            required dir: PathBuf
        }
        /// Print `offset length`, in bytes, of each frame that the splitter finds in a file.
        ///
        /// With default settings, one line per frame, nothing else: for other scorers to judge.
        cmd frames {
            /// A raw Motion-JPEG stream, of any length.
            required file: PathBuf
        }
        /// Inject faults into a running relay, and count what is lost.
        ///
        /// A case is a relay in a process of its own, a bystander (a camera with 25 numbered
        /// pictures a second and two viewers that count them), and a fault beside it: of a camera,
        /// a link, a viewer, the process. None of the bystander's pictures may be lost or come more
        /// than 100 ms after the one before, memory stays within the case's bound, no open file,
        /// thread or task is left behind, the error says what happened, and it recovers by itself
        /// within what its backoff allows. Prints a table; what it means is in
        /// `docs/reliability.md`. About 8 minutes, with the release build.
        ///
        /// Cases that need namespaces (root), `http://` sources or faketime are skipped, with a
        /// line, where there are none. Exit code 1 if a case fails.
        cmd faults {
            /// Only cases of each kind that end soon, with the debug build: a minute or two. A step
            /// of `cargo xtask ci`.
            optional --short
            /// Only this case; repeat for more.
            repeated --case name: String
            /// What picks the random ones among the faults (default: 1).
            optional --seed seed: u64
            /// Name the cases and end.
            optional --list
            /// Run relays that lack this, to see which cases notice: `write-stall`,
            /// `header-timeout`, `stall-limit`, `frame-limit`, `backoff`, `cleaning-up`.
            optional --without what: String
            /// Put the table into this file, in place of the last one: `docs/reliability.md`.
            optional --record file: PathBuf
        }
        /// Cameras of each kind with random faults, and two hundred viewers that come and go.
        ///
        /// Prints a line per minute, and memory at minutes 1, 10, 30 and 60. In the end memory and
        /// open files must be flat, each camera back, and no picture of the two undamaged cameras
        /// lost; else the exit code is 1.
        cmd soak {
            /// How long; at the end up to a minute more, until all are back.
            required --minutes minutes: u64
            /// What picks the faults (default: 1).
            optional --seed seed: u64
            /// Put the lines into this file, in place of the last ones: `docs/reliability.md`.
            optional --record file: PathBuf
        }
        /// Measure the relay under load, beside a reference.
        cmd bench {
            /// CPU time per delivered frame of the HTTP fan-out, beside the least that a server can
            /// do.
            ///
            /// Camera, viewers and reference are programs of `benches/`. The relay and the
            /// reference take turns, each time pinned to core 0, camera and viewers to core 1.
            /// Prints a line per run and tables at the end: medians and quartiles of the ratio,
            /// with floor and goal. All cases with nine pairs take about half an hour. See
            /// benches/README.md.
            cmd fanout {
                /// Only the case of this name, or those whose names hold it (`none` lists them).
                optional --case case: String
                /// Pairs of runs for each case (default: 9).
                optional --pairs pairs: usize
                /// The length of each run's window (default: 10).
                optional --seconds seconds: u64
                /// More arguments for `mjpeg-server run`, as one word:
                /// `--server-args "--repair none"`.
                optional --server-args args: String
                /// Write the tables into this file as well (Markdown).
                optional --record file: PathBuf
                /// Instead of all that, check that the reference is one: strace (if it is there)
                /// shows one `writev` per viewer and frame, and 95 % of its CPU time is the
                /// kernel's.
                optional --verify-reference
            }
            /// How old the pictures are that viewers on slow links see.
            ///
            /// Viewers behind links of 1, 4 and 20 Mbit/s (network namespaces, `tc tbf` with a
            /// queue of 32 KB) watch a stream of 100 KB x 30 fps, all at once, beside 50 on
            /// loopback. With T the time that one picture takes on the link, half of a viewer's
            /// pictures may be 1.6 T + 1/30 s old at their last byte, 99 of 100 no more than 2 T +
            /// 1/30 s; the fast viewers miss none; the relay's memory is flat. Then the same with
            /// the reference server of `bench fanout`, to show what the machine allows, and with
            /// the relay without a bound on what waits unsent in the kernel, to show what that is
            /// good for. What came of it last is in `docs/lag.md`.
            ///
            /// Exit code 1 if something does not hold. Needs root; where network namespaces are not
            /// allowed, a line says that it is skipped, and the exit code is 0.
            cmd lag {
                /// The length of each run (default: 600).
                optional --seconds seconds: u64
                /// Only this run: `bounded` (of which all is asked), `bare` (the reference) or
                /// `unbounded`.
                optional --case case: String
                /// How TCP finds its rate on the slow links: `bbr`, ... (default: `cubic`, as Linux
                /// has it).
                optional --congestion name: String
                /// First install `ip` and `tc`, if they are missing (Debian's iproute2).
                optional --install
                /// Write the tables into this file as well (Markdown).
                optional --record file: PathBuf
            }
        }
        /// Check that real viewers see every frame that the relay sends.
        ///
        /// The last results, and what they mean, are in `docs/compat.md`.
        cmd compat {
            /// Let real viewers' programs read the relay, and count the frames that each sees.
            ///
            /// A camera made up for the purpose sends ten numbered pictures, in every odd form that
            /// cameras have (thumbnails, no Huffman tables, junk, a picture cut off, ...), to the
            /// real `mjpeg-server`. Each program reads it over HTTP, the pictures it saw are
            /// decoded and compared. Prints a row per form, a column per program.
            ///
            /// A program that is not installed is shown as skipped. Exit code 1 if any that ran
            /// missed a picture, or saw a corrupt one.
            cmd programs {
                /// First install what is missing: Debian packages, and Python's into
                /// `target/compat`.
                optional --install
                /// Also write the table into this file, as Markdown: `docs/compat.md`.
                optional --record file: PathBuf
                /// Only this program, as the table names it; repeat for more.
                repeated --program program: String
                /// Only this row, by the word in front of it; repeat for more.
                repeated --row row: String
                /// What the relay repairs, as its option of that name; `none` shows why it repairs.
                optional --repair list: String
                /// How many programs to run at once (default: 4).
                optional --jobs jobs: usize
                /// Keep what each program saw and said, and tell where.
                optional --keep
            }
            /// How browser engines show them: Chromium, Firefox, WebKitGTK, steered by WebDriver.
            ///
            /// In a network namespace of its own, where that is allowed, so that the address is not
            /// loopback. An engine that is not installed is told and skipped. Exit code 1 if
            /// something does not hold that must; docs/engines.md says what.
            cmd engines {
                /// A quarter of a minute per engine.
                optional --short
                /// Also watch for this long, at 30 fps, whether the picture freezes or the page's
                /// memory grows (10 is usual).
                optional --minutes minutes: u16
                /// Only this engine: chromium, firefox or webkitgtk. Repeat for more.
                repeated --engine engine: String
                /// Add this to the stream's URL, such as advance_headers=0, to see what another
                /// layout does.
                optional --query query: String
                /// First install the engines that are missing: Debian packages, and geckodriver by
                /// cargo.
                optional --install
                /// Append the tables to this file, as Markdown.
                optional --record file: PathBuf
            }
        }
    }
}
