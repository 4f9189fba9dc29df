//! The figures of each port.

use std::fmt;

use mjpeg_manager::mjpeg_http::ListenerStats;

use super::{
    families::{Families, Label},
    stream::StreamReading,
};

/// A reading of one port or socket.
#[derive(Debug)]
pub(super) struct ListenerReading {
    name: String,
    /// The stream whose own port it is; else empty, which is the same as no label.
    stream: String,
    stats: ListenerStats,
}

impl ListenerReading {
    /// A port that serves several streams.
    pub(super) fn shared(name: String, stats: ListenerStats) -> Self {
        Self {
            name,
            stream: String::new(),
            stats,
        }
    }

    /// A stream's own port, which has its name.
    pub(super) fn own(stream: &StreamReading) -> Option<Self> {
        Some(Self {
            name: stream.name().into(),
            stream: stream.name().into(),
            stats: stream.port?,
        })
    }

    fn labels(&self) -> [Label<'_>; 2] {
        [("listener", &self.name), ("stream", &self.stream)]
    }

    fn labels_with(&self, reason: &'static str) -> [Label<'_>; 3] {
        let [listener, stream] = self.labels();
        [listener, stream, ("reason", reason)]
    }
}

pub(super) fn encode(listeners: &[ListenerReading], families: &mut Families<'_>) -> fmt::Result {
    let connections = |listener: &ListenerReading| listener.stats.connections;
    families.gauges(
        "mjpeg_listener_connections",
        "Open connections, those of viewers included.",
        listeners.iter().map(|one| (one.labels(), connections(one))),
    )?;
    for (name, help, read) in COUNTERS {
        let samples = listeners.iter().map(|one| (one.labels(), read(&one.stats)));
        families.counters(name, help, samples)?;
    }
    let closed = listeners.iter().flat_map(|one| {
        let closed = CLOSED.iter();
        closed.map(|(reason, read)| (one.labels_with(reason), read(&one.stats)))
    });
    families.counters(
        "mjpeg_listener_closed",
        "Connections closed because of a limit or a fault, by reason.",
        closed,
    )
}

type Read = fn(&ListenerStats) -> u64;

const COUNTERS: [(&str, &str, Read); 3] = [
    (
        "mjpeg_listener_accepted",
        "Connections accepted.",
        |stats| stats.accepted,
    ),
    (
        "mjpeg_listener_requests",
        "Requests read, those for streams included.",
        |stats| stats.requests,
    ),
    (
        "mjpeg_listener_accept_errors",
        "Connections that could not be accepted, mostly for lack of file descriptors.",
        |stats| stats.accept_errors,
    ),
];

const CLOSED: [(&str, Read); 6] = [
    ("header_timeout", |stats| stats.header_timeouts),
    ("bad_request", |stats| stats.bad_requests),
    ("write_stall", |stats| stats.write_stalls),
    ("handshake_error", |stats| stats.handshake_errors),
    ("handshake_timeout", |stats| stats.handshake_timeouts),
    ("handshake_displaced", |stats| stats.handshakes_displaced),
];
