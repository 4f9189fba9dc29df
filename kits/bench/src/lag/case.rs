//! The servers that are measured, and what must hold for each.

/// A server, and what must hold for it.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) server: Server,
    pub(crate) asked: Asked,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Server {
    /// The relay, with more arguments.
    Relay(&'static [&'static str]),
    /// The reference of the load benchmark.
    Bare,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The ages on slow links, flat memory, and no loss of the fast viewers.
    All,
    /// No loss of the fast viewers.
    NoLoss,
    Nothing,
}

pub(crate) const CASES: [Case; 3] = [
    Case {
        name: "bounded",
        description: "`TCP_NOTSENT_LOWAT` 16 KiB, the relay's default",
        server: Server::Relay(&[]),
        asked: Asked::All,
    },
    Case {
        name: "bare",
        description: "`fanout_ceiling` in the relay's place, which does nothing but send, with the same 16 KiB: what the machine allows",
        server: Server::Bare,
        asked: Asked::Nothing,
    },
    Case {
        name: "unbounded",
        description: "`TCP_NOTSENT_LOWAT` left to the kernel, by `--notsent-lowat 0`",
        server: Server::Relay(&["--notsent-lowat", "0"]),
        asked: Asked::NoLoss,
    },
];
