//! The layers: which crate may depend on which, and what none of them may reach.

/// Which workspace crates one may name in `[dependencies]`.
pub(super) struct Edges {
    pub(super) of: &'static str,
    pub(super) always: &'static [&'static str],
    /// Only as an optional dependency, so that default features do without.
    pub(super) optional: &'static [&'static str],
    pub(super) why: &'static str,
}

pub(super) const TESTKIT: &str = "mjpeg-testkit";
pub(super) const XTASK: &str = "xtask";
/// Tooling that may use every crate.
pub(super) const TOOLING: &[&str] = &["bench", "benches", "compat", "corpus", "engines", "faults"];

pub(super) const EDGES: &[Edges] = &[
    Edges {
        of: "mjpeg-codec",
        always: &[],
        optional: &[],
        why: "the codec is the ground floor: pure, usable alone in any capture pipeline",
    },
    Edges {
        of: "mjpeg-picture",
        always: &[],
        optional: &[],
        why: "drawing pictures needs nothing of the relay",
    },
    Edges {
        of: TESTKIT,
        always: &[],
        optional: &[],
        why: "a test kit that uses our crates makes their types appear twice in unit tests",
    },
    Edges {
        of: XTASK,
        always: &[],
        optional: &[],
        why: "the gates run when no crate compiles; what needs one is a kit",
    },
    Edges {
        of: "kit",
        always: &[],
        optional: &[],
        why: "what the kits share sees the relay from outside, as a process",
    },
    Edges {
        of: "mjpeg-fanout",
        always: &["mjpeg-codec"],
        optional: &[],
        why: "the fan-out hands on frames; where they come from and who looks is not its business",
    },
    Edges {
        of: "mjpeg-ingest",
        always: &["mjpeg-codec"],
        optional: &["mjpeg-picture"],
        why: "ingest ends where a frame is captured; it knows no viewers, and draws only by its feature `test-picture`",
    },
    Edges {
        of: "mjpeg-http",
        always: &["mjpeg-codec", "mjpeg-fanout"],
        optional: &[],
        why: "serving frames must work for any source of frames, not only for our ingest",
    },
    Edges {
        of: "mjpeg-manager",
        always: &["mjpeg-codec", "mjpeg-fanout", "mjpeg-ingest"],
        optional: &["mjpeg-http", "mjpeg-picture"],
        why: "the registry runs without HTTP unless its feature `listener` asks for it, and draws only by its feature `placeholder`",
    },
    Edges {
        of: "mjpeg-server",
        always: &[
            "mjpeg-codec",
            "mjpeg-fanout",
            "mjpeg-http",
            "mjpeg-ingest",
            "mjpeg-manager",
            "mjpeg-picture",
        ],
        optional: &[],
        why: "the server wires everything that is published, and only that",
    },
];

/// All that the codec may depend on, whatever its features. With these it can do no IO except
/// through the standard library, whose clocks and sleep its `clippy.toml` bans.
pub(super) const SANS_IO: SansIo = SansIo {
    of: "mjpeg-codec",
    always: &["bytes", "memchr", "thiserror"],
    optional: &["tokio-util"],
};

/// The dependencies of a crate that does no IO.
pub(super) struct SansIo {
    pub(super) of: &'static str,
    pub(super) always: &'static [&'static str],
    /// Only as an optional dependency: a feature that implements another crate's trait.
    pub(super) optional: &'static [&'static str],
}

/// Crates that some of ours must not reach, through whatever path, with default features.
pub(super) struct Unreachable {
    pub(super) from: &'static [&'static str],
    pub(super) forbidden: &'static [&'static str],
    pub(super) why: &'static str,
}

pub(super) const UNREACHABLE: &[Unreachable] = &[
    Unreachable {
        from: &["mjpeg-codec"],
        forbidden: &[
            "tokio",
            "mio",
            "hyper",
            "socket2",
            "async-trait",
            "futures-util",
            "http",
            "fastrand",
            "rand",
            "getrandom",
        ],
        why: "the codec is sans-IO: no runtime, no sockets, no randomness",
    },
    Unreachable {
        from: &["mjpeg-fanout"],
        forbidden: &[
            "mio",
            "socket2",
            "hyper",
            "http",
            "mjpeg-ingest",
            "mjpeg-http",
        ],
        why: "the fan-out knows neither sockets nor HTTP nor where frames come from",
    },
    Unreachable {
        from: &["mjpeg-ingest"],
        forbidden: &["hyper", "http", "mjpeg-fanout", "mjpeg-http"],
        why: "ingest and HTTP do not know one another; ingest knows no viewers",
    },
    Unreachable {
        from: &["mjpeg-http"],
        forbidden: &["mjpeg-ingest"],
        why: "ingest and HTTP do not know one another; the manager brings them together",
    },
    Unreachable {
        from: &["mjpeg-manager"],
        forbidden: &["hyper", "http", "mjpeg-http"],
        why: "HTTP comes into the manager only by its feature `listener`",
    },
    Unreachable {
        from: &[
            "mjpeg-codec",
            "mjpeg-fanout",
            "mjpeg-ingest",
            "mjpeg-http",
            "mjpeg-manager",
        ],
        forbidden: &["mjpeg-picture"],
        why: "relaying a camera's frames needs no picture of our own",
    },
    Unreachable {
        from: &[
            "mjpeg-codec",
            "mjpeg-fanout",
            "mjpeg-ingest",
            "mjpeg-http",
            "mjpeg-manager",
            "mjpeg-picture",
        ],
        forbidden: &["clap", "anyhow", "serde", "tracing-subscriber"],
        why: "command line, untyped errors, serialisation and log output belong to the program; \
              only mjpeg-server may bring them",
    },
];
