//! All commands. Their help text is the documentation: `cargo xtask --help`. `kits/kit` includes
//! this file, so the kits parse the same command line.

#![allow(
    missing_docs,
    unreachable_pub,
    reason = "the macro writes `pub`, without docs, on the structs it generates"
)]

use std::path::PathBuf;

xflags::xflags! {
    /// Tasks of this workspace. Run as `cargo xtask COMMAND`.
    cmd xtask {
        /// Run all checks, the cheapest first. Stops at the first failure.
        cmd ci {
            /// First install missing tools: Debian packages, cargo tools, toolchains.
            optional --install
            /// Begin at this step, after a failure that is mended. The steps before it do not run.
            optional --from step: String
        }
        /// Check the dependencies between crates, and for crates that they must not reach.
        cmd layers {}
        /// Check manifests, imports, sizes, comments, docs and test data.
        cmd tidy {
            /// Only print the number of Rust lines, by crate or folder.
            optional --lines
        }
        /// Compare each published crate's public API with its snapshot in `public-api/`.
        cmd api {
            /// Accept the current API: rewrite the snapshots.
            optional --bless
        }
        /// Run each example without arguments. Each must end by itself, with success.
        cmd examples {}
        /// Package each published crate, and use each one alone from its tarball, as its users do.
        cmd consumers {}
        /// Send the API of a running relay requests that schemathesis makes from its openapi.json.
        ///
        /// Installs schemathesis from PyPI into `target/schemathesis`. Exit code 1 if an answer is
        /// not as the document says, or the relay fails. A step of `cargo xtask ci`, with the
        /// defaults.
        cmd schemathesis {
            /// In how many forms each request is tried (default: 20).
            optional --examples examples: u32
            /// The seed of the requests (default: 1).
            optional --seed seed: u32
        }
        /// Run the fuzz targets. Needs nightly and cargo-fuzz.
        cmd fuzz {
            /// Seconds per target (default: 60).
            optional --seconds seconds: u32
            /// Only this target.
            optional --target target: String
        }
        /// Score the splitter on a folder of streams with known truth: NAME.mjpeg with NAME.json.
        ///
        /// Prints a line per stream: the number of frames that a splitter must recover
        /// (`expected`), how many of them it returned exactly (`exact`) and how many not (`missed`,
        /// also with extra bytes), how many frames it returned that do not exist (`false`), and how
        /// many bytes are each in exactly one frame or discarded range (`accounted`). A returned
        /// frame that touches only damage counts neither way. Below the table is each answer that
        /// differs from the truth, with what came out instead.
        ///
        /// Exit code 1 if a stream is not perfect, unless its truth says that it is debatable. Also
        /// 1 if a stream cannot be scored because a file is missing, invalid, or of another stream.
        cmd corpus {
            /// The folder, such as `../shared/corpus`. Subfolders are ignored.
            required dir: PathBuf
        }
        /// Print `offset length`, in bytes, of each frame that the splitter finds in a file.
        ///
        /// The splitter has default settings. Prints one line per frame and nothing else, for other
        /// scorers.
        cmd frames {
            /// A raw Motion-JPEG stream, of any length.
            required file: PathBuf
        }
        /// Inject faults into a running relay, and count what is lost.
        ///
        /// Each case runs a relay in its own process, with a bystander (a camera that sends 25
        /// numbered pictures per second, and two viewers that count them), and injects a fault of a
        /// camera, a link, a viewer or the process. The bystander's pictures must all arrive, none
        /// more than 100 ms after the previous one. Memory must stay within the case's bound, no
        /// open file, thread or task may be left behind, the error must say what happened, and the
        /// relay must recover by itself within its backoff. A case that is not over within its
        /// limit (90 s, long ones 180 s) fails, and the others go on. Prints a table, which
        /// `docs/reliability.md` explains. Takes about 6 minutes, with the release build.
        ///
        /// Cases that need namespaces (root), `http://` sources or faketime are skipped where these
        /// are missing. Exit code 1 if a case fails.
        cmd faults {
            /// Only the fast cases of each kind, with the debug build: a minute or two. A step of
            /// `cargo xtask ci`.
            optional --short
            /// Only this case; repeat for more.
            repeated --case name: String
            /// The seed of the random faults (default: 1).
            optional --seed seed: u64
            /// Only list the cases and their limits.
            optional --list
            /// Run relays that lack this, to see which cases notice: `write-stall`,
            /// `header-timeout`, `stall-limit`, `frame-limit`, `backoff`, `cleaning-up`.
            optional --without what: String
            /// Write the table into this file, in place of the previous one:
            /// `docs/reliability.md`.
            optional --record file: PathBuf
        }
        /// Break a cluster of relays again and again, and measure what it costs.
        ///
        /// Three relays, an engine (Debian's etcd, one or three servers) and a camera, each in a
        /// network namespace, so that each link can be cut by itself. A viewer of each relay checks
        /// that nothing goes back in time; the camera notes every connection. Prints a table, which
        /// `docs/cluster.md` explains. All cases take about an hour and a half, with the release
        /// build.
        ///
        /// Without namespaces (root) or etcd, all cases are skipped; if `CI` is set, that is a
        /// failure. Exit code 1 if a figure is beyond its limit.
        cmd cluster {
            /// Only one kill and one cut, by the seed, with the debug build; times may be twice as
            /// long. A step of `cargo xtask ci`.
            optional --short
            /// Only this case; repeat for more.
            repeated --case name: String
            /// The seed of the first round, which decides the times of faults (default: 1). The
            /// next round has the next seed.
            optional --seed seed: u64
            /// Rounds of each case that can be repeated (default: `--list` prints it).
            optional --rounds rounds: u32
            /// Only list the cases and their rounds.
            optional --list
            /// Run relays that lack this, to see that it is noticed: `cluster`.
            optional --without what: String
            /// Write the table into this file, in place of the previous one: `docs/cluster.md`.
            optional --record file: PathBuf
        }
        /// Run cameras of each kind with random faults, and two hundred viewers that come and go.
        ///
        /// Prints a line per minute, and memory at minutes 1, 10, 30 and 60. Exit code 1 if memory
        /// or open files grow, a camera does not return, or a picture of the two undamaged cameras
        /// is lost.
        cmd soak {
            /// The length of the run, without up to a minute at the end in which all cameras
            /// return.
            required --minutes minutes: u64
            /// The seed of the faults (default: 1).
            optional --seed seed: u64
            /// Write the lines into this file, in place of the previous ones:
            /// `docs/reliability.md`.
            optional --record file: PathBuf
        }
        /// Run the relay on a real driver of V4L2 (v4l2loopback) in an emulated machine.
        ///
        /// Measures its CPU time per picture beside that of ustreamer. Needs Debian's
        /// qemu-system-x86, linux-image-amd64, linux-headers-amd64, v4l2loopback-dkms,
        /// busybox-static and ustreamer. Takes about ten minutes.
        cmd webcam {
            /// Write the table into this file, in place of the previous one: `docs/v4l2.md`.
            optional --record file: PathBuf
        }
        /// Measure the relay under load, next to a reference.
        cmd bench {
            /// Measure the CPU time per frame that the HTTP fan-out delivers, next to the least
            /// that a server can do.
            ///
            /// Camera, viewers and reference are programs of `benches/`. The relay and the
            /// reference take turns, pinned to core 0. Camera and viewers are pinned to core 1.
            /// Prints a line per run and tables at the end: medians and quartiles of the ratio,
            /// with floor and goal. All cases with nine pairs take about half an hour. See
            /// benches/README.md.
            cmd fanout {
                /// Only the case with this name, or those whose names contain it (`none` lists
                /// them).
                optional --case case: String
                /// Pairs of runs per case (default: 9).
                optional --pairs pairs: usize
                /// The length of each run's window (default: 10).
                optional --seconds seconds: u64
                /// More arguments for `mjpeg-server run`, as one word:
                /// `--server-args "--repair none"`.
                optional --server-args args: String
                /// Also write the tables to this file (Markdown).
                optional --record file: PathBuf
                /// Only check that the reference does the least: strace, if installed, must show
                /// one `writev` per viewer and frame, and the kernel must use 95 % of its CPU time.
                optional --verify-reference
            }
            /// Measure how old the pictures are that viewers on slow links see.
            ///
            /// Viewers behind links of 1, 4 and 20 Mbit/s (network namespaces, `tc tbf` with a
            /// queue of 32 KB) and 50 viewers on loopback watch a stream of 100 KB x 30 fps, all at
            /// once. T is the time that one picture takes on the link. At the last byte, half of a
            /// viewer's pictures may be 1.6 T + 1/30 s old, and 99 of 100 no more than 2 T + 1/30
            /// s. The fast viewers must miss none, and the relay's memory must not grow. Then the
            /// same with the reference server of `bench fanout`, to show what the machine allows,
            /// and with the relay without a bound on unsent bytes in the kernel, to show what the
            /// bound achieves. The last results are in `docs/lag.md`.
            ///
            /// Exit code 1 if a requirement does not hold. Needs root. Where network namespaces are
            /// not allowed, it prints that it is skipped, and the exit code is 0.
            cmd lag {
                /// The length of each run (default: 600).
                optional --seconds seconds: u64
                /// Only this run: `bounded` (with all requirements), `bare` (the reference) or
                /// `unbounded`.
                optional --case case: String
                /// TCP's congestion control on the slow links, such as `bbr` (default: `cubic`, as
                /// in Linux).
                optional --congestion name: String
                /// First install `ip` and `tc`, if they are missing (Debian's iproute2).
                optional --install
                /// Also write the tables to this file (Markdown).
                optional --record file: PathBuf
            }
            /// Measure what streams that keep their last pictures cost.
            ///
            /// Resident memory at the limit `max_replay_memory_total`, next to a relay that keeps
            /// nothing; pictures that are not kept while one core does everything; and live viewers
            /// while clips are downloaded, next to the same viewers without. About five minutes.
            /// The last results are in `docs/replay.md`.
            ///
            /// Exit code 1 if a requirement does not hold. Needs Linux, two cores and `taskset`.
            cmd replay {
                /// Only this case: `memory`, `rate` or `beside`.
                optional --case case: String
                /// How often `beside` compares the viewers (default: 7).
                optional --pairs pairs: usize
                /// Also write the table to this file (Markdown).
                optional --record file: PathBuf
            }
        }
        /// Check that real viewers see every frame that the relay sends.
        ///
        /// `docs/compat.md` has the last results, and explains them.
        cmd compat {
            /// Let real viewers' programs read the relay, and count the pictures that each sees.
            ///
            /// A fake camera sends ten numbered pictures to the real `mjpeg-server`, in all the odd
            /// forms of real cameras (with thumbnails, without Huffman tables, with junk, one cut
            /// off, ...). Each program reads the stream over HTTP, and the pictures that it saw are
            /// decoded and compared. Prints a row per form and a column per program.
            ///
            /// A program that is not installed is shown as skipped. Exit code 1 if a program missed
            /// a picture or saw a corrupt one.
            cmd programs {
                /// First install missing programs: Debian packages, and Python packages into
                /// `target/compat`.
                optional --install
                /// Also write the table into this file, as Markdown: `docs/compat.md`.
                optional --record file: PathBuf
                /// Only this program, by its name in the table; repeat for more.
                repeated --program program: String
                /// Only this row, by its word at the start of each line; repeat for more.
                repeated --row row: String
                /// The relay's option `--repair`; `none` shows why the relay repairs.
                optional --repair list: String
                /// How many programs run at once (default: 4).
                optional --jobs jobs: usize
                /// Keep what each program saw and wrote, and print where.
                optional --keep
            }
            /// Measure how browser engines show streams: Chromium, Firefox and WebKitGTK,
            /// controlled by WebDriver.
            ///
            /// Runs in its own network namespace where that is allowed, so that the address is not
            /// loopback. An engine that is not installed is skipped, and the output says so. Exit
            /// code 1 if a requirement does not hold; docs/engines.md lists them.
            cmd engines {
                /// Only some seconds per engine.
                optional --short
                /// Also watch for this long at 30 fps whether the picture freezes or the page's
                /// memory grows (10 is usual).
                optional --minutes minutes: u16
                /// Only this engine: chromium, firefox or webkitgtk. Repeat for more.
                repeated --engine engine: String
                /// Add this to the stream's URL, such as advance_headers=0, to measure another
                /// layout.
                optional --query query: String
                /// First install missing engines: Debian packages, and geckodriver by cargo.
                optional --install
                /// Append the tables to this file, as Markdown.
                optional --record file: PathBuf
            }
            /// Measure what the page costs a browser: 16 cameras of 1920x1080 and 250 kB, at 10
            /// pictures a second each.
            ///
            /// Each engine that is installed opens the page in a window of 1600x1200, headless,
            /// once on a usual screen (tiles get an eighth of the resolution) and once on one with
            /// twice the pixels (tiles get whole pictures). Prints pictures per second, their
            /// age, CPU time per picture and the memory of the page's process. Exit code 1 if that
            /// grows by more than 64 MiB after the first minute.
            cmd wall {
                /// How long each page is watched (default: 2; 30 to look for leaks).
                optional --minutes minutes: u16
                /// Only this engine: chromium, firefox or webkitgtk. Repeat for more.
                repeated --engine engine: String
                /// Only the usual screen.
                optional --usual
                /// First install missing engines: Debian packages, and geckodriver by cargo.
                optional --install
                /// Also write the table into this file, as Markdown: `docs/wall-page.md`.
                optional --record file: PathBuf
            }
            /// Measure which viewers heed the tag by which the relay turns and mirrors pictures.
            ///
            /// A picture with four colours shows how each is turned, in pages of the three engines
            /// and in programs. Viewers that are not installed are skipped.
            cmd orientation {
                /// First install missing engines and programs.
                optional --install
                /// Also write the table into this file, as Markdown: `docs/orientation.md`.
                optional --record file: PathBuf
                /// Only viewers whose names hold this word; repeat for more.
                repeated --viewer word: String
            }
        }
    }
}
