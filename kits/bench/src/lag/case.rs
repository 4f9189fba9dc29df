//! The servers that are measured, and what must hold for each.

use crate::programs::Server;

/// A server, and what must hold for it.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) server: Server<'static>,
    pub(crate) required: Required,
}

/// What must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Required {
    /// The limits of the ages on slow links, flat memory, and no loss for the fast viewers.
    All,
    /// No loss for the fast viewers.
    NoLoss,
    Nothing,
}

pub(crate) const CASES: [Case; 3] = [
    Case {
        name: "bounded",
        description: "`TCP_NOTSENT_LOWAT` 16 KiB, the relay's default",
        server: Server::Relay(&[]),
        required: Required::All,
    },
    Case {
        name: "bare",
        description: "the reference server `fanout_ceiling`, which does nothing but send, with the same 16 KiB: it shows what the machine allows",
        server: Server::Reference,
        required: Required::Nothing,
    },
    Case {
        name: "unbounded",
        description: "`TCP_NOTSENT_LOWAT` left to the kernel, by `--notsent-lowat 0`",
        server: Server::Relay(&["--notsent-lowat", "0"]),
        required: Required::NoLoss,
    },
];
