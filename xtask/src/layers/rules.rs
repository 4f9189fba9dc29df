//! The layers: the allowed dependencies between crates, and the crates that they must not reach.

/// The workspace crates that a crate may name in `[dependencies]`.
pub(super) struct Edges {
    pub(super) of: &'static str,
    pub(super) always: &'static [&'static str],
    /// Only as optional dependencies, which default features do not enable.
    pub(super) optional: &'static [&'static str],
    pub(super) why: &'static str,
}

pub(super) const TESTKIT: &str = "mjpeg-testkit";
pub(super) const XTASK: &str = "xtask";
/// Tooling that may use every crate.
pub(super) const TOOLING: &[&str] = &[
    "bench", "benches", "cluster", "compat", "corpus", "engines", "faults", "webcam",
];

pub(super) const EDGES: &[Edges] = &[
    Edges {
        of: "mjpeg-codec",
        always: &[],
        optional: &[],
        why: "the codec is the lowest layer, and any capture pipeline can use it alone",
    },
    Edges {
        of: "mjpeg-mux",
        always: &[],
        optional: &[],
        why: "putting JPEGs into files does not need the relay",
    },
    Edges {
        of: "mjpeg-timelapse",
        always: &["mjpeg-mux"],
        optional: &[],
        why: "a store of frames knows neither where they come from nor who looks at them",
    },
    Edges {
        of: "mjpeg-picture",
        always: &[],
        optional: &[],
        why: "drawing pictures does not need the relay",
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
        why: "the checks must run when no crate compiles; a program that needs a crate is a kit",
    },
    Edges {
        of: "kit",
        always: &[],
        optional: &[],
        why: "the kits see the relay from outside, as a process",
    },
    Edges {
        of: "mjpeg-fanout",
        always: &["mjpeg-codec"],
        optional: &[],
        why: "the fan-out passes on frames, and knows neither their sources nor their viewers",
    },
    Edges {
        of: "mjpeg-ingest",
        always: &["mjpeg-codec"],
        optional: &["mjpeg-picture"],
        why: "ingest knows no viewers, and draws only with its feature `test-picture`",
    },
    Edges {
        of: "mjpeg-http",
        always: &["mjpeg-codec", "mjpeg-fanout"],
        optional: &["mjpeg-mux"],
        why: "HTTP must serve frames of any source, not only those of our ingest; it makes files only with its feature `replay`",
    },
    Edges {
        of: "mjpeg-auth",
        always: &["mjpeg-http"],
        optional: &[],
        why: "access control judges requests, and knows neither streams nor the program's files",
    },
    Edges {
        of: "mjpeg-manager",
        always: &["mjpeg-codec", "mjpeg-fanout", "mjpeg-ingest"],
        optional: &["mjpeg-http", "mjpeg-picture"],
        why: "the manager has HTTP only with its feature `listener`, and draws only with its feature `placeholder`",
    },
    Edges {
        of: "mjpeg-cluster",
        always: &["mjpeg-codec", "mjpeg-fanout", "mjpeg-ingest", "mjpeg-http"],
        optional: &[],
        why: "a cluster decides who reads a camera, and serves what it reads to other nodes",
    },
    Edges {
        of: "mjpeg-control",
        always: &[
            "mjpeg-codec",
            "mjpeg-fanout",
            "mjpeg-http",
            "mjpeg-ingest",
            "mjpeg-manager",
        ],
        optional: &[],
        why: "the API knows streams, and neither files nor users: those are seams",
    },
    Edges {
        of: "mjpeg-server",
        always: &[
            "mjpeg-auth",
            "mjpeg-codec",
            "mjpeg-control",
            "mjpeg-fanout",
            "mjpeg-http",
            "mjpeg-ingest",
            "mjpeg-manager",
            "mjpeg-mux",
            "mjpeg-picture",
            "mjpeg-timelapse",
        ],
        optional: &["mjpeg-cluster"],
        why: "the server uses published crates only",
    },
];

/// All dependencies that the codec may have, with any features. With these it can do IO only
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
    /// Only as optional dependencies, for features that implement another crate's trait.
    pub(super) optional: &'static [&'static str],
}

/// Crates that some of ours must not reach by any path, with default features.
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
        from: &["mjpeg-mux"],
        forbidden: &["tokio", "mio", "hyper", "socket2", "http"],
        why: "the muxer is sans-IO: no runtime, no sockets",
    },
    Unreachable {
        from: &["mjpeg-timelapse"],
        forbidden: &["tokio", "mio", "hyper", "socket2", "http"],
        why: "the store does plain blocking IO on files: no runtime, no sockets",
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
        why: "the fan-out knows neither sockets nor HTTP nor sources",
    },
    Unreachable {
        from: &["mjpeg-ingest"],
        forbidden: &["hyper", "http", "mjpeg-fanout", "mjpeg-http"],
        why: "ingest and HTTP do not know each other; ingest knows no viewers",
    },
    Unreachable {
        from: &["mjpeg-auth", "mjpeg-http"],
        forbidden: &["mjpeg-ingest"],
        why: "ingest and HTTP do not know each other; the manager connects them",
    },
    Unreachable {
        from: &["mjpeg-manager"],
        forbidden: &["hyper", "http", "mjpeg-http"],
        why: "the manager has HTTP only with its feature `listener`",
    },
    Unreachable {
        from: &[
            "mjpeg-auth",
            "mjpeg-codec",
            "mjpeg-fanout",
            "mjpeg-ingest",
            "mjpeg-http",
            "mjpeg-manager",
            "mjpeg-control",
        ],
        forbidden: &["mjpeg-picture"],
        why: "relaying a camera's frames does not need drawn pictures",
    },
    Unreachable {
        from: &["mjpeg-control"],
        forbidden: &["clap", "anyhow", "toml", "tracing-subscriber"],
        why: "command line, files and log output belong to the program",
    },
    Unreachable {
        from: &[
            "mjpeg-auth",
            "mjpeg-codec",
            "mjpeg-fanout",
            "mjpeg-ingest",
            "mjpeg-http",
            "mjpeg-manager",
            "mjpeg-mux",
            "mjpeg-picture",
        ],
        forbidden: &["clap", "anyhow", "serde", "tracing-subscriber"],
        why: "command line, untyped errors, serialisation and log output belong to the program; \
              only mjpeg-server may bring them",
    },
];
