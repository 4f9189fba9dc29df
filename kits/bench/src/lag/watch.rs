//! Readings once a second while viewers watch: where bytes wait, and the relay's memory.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use kit::child::Child;
use kit::connections;
use kit::network::Namespace;
use kit::proc;

use crate::links::{self, Link};

/// One reading per second.
#[derive(Default)]
pub(crate) struct Readings {
    /// The relay's resident memory, in KiB.
    pub(crate) rss_kib: Vec<u64>,
    /// For each link, in order.
    pub(crate) links: Vec<Waiting>,
}

/// Bytes that wait on their way to one viewer.
#[derive(Default)]
pub(crate) struct Waiting {
    /// In the relay's socket: unsent, or sent and not acknowledged.
    pub(crate) socket: Vec<u64>,
    /// In the queue of the link.
    pub(crate) link: Vec<u64>,
}

/// Watches for this many seconds, or until one of the viewers has ended.
pub(crate) fn watch(
    relay: u32,
    router: &Namespace,
    links: &[Link],
    viewers: &mut [Child],
    seconds: u64,
) -> Result<Readings> {
    let mut readings = Readings::default();
    readings.links.resize_with(links.len(), Waiting::default);
    let begun = Instant::now();
    for second in 0..=seconds {
        let due = begun + Duration::from_secs(second);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        for viewer in &mut *viewers {
            if viewer.status()?.is_some() {
                return Ok(readings);
            }
        }
        readings.rss_kib.push(proc::status(relay, "VmRSS:")?);
        let connections = connections::established(relay)?;
        for (link, waiting) in links.iter().zip(&mut readings.links) {
            let viewer = connections.iter().find(|it| *it.peer.ip() == link.far());
            waiting.socket.extend(viewer.map(|it| it.queued_bytes));
            waiting.link.push(links::queue(router, link)?.backlog);
        }
    }
    Ok(readings)
}
