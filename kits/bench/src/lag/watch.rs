//! Readings once a second while viewers watch: where bytes wait, and the relay's memory.

use std::fs;
use std::net::Ipv4Addr;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use kit::child::Child;
use kit::network::Namespace;
use kit::proc;

use crate::netns::{self, Link};

/// Readings, one a second.
#[derive(Default)]
pub(crate) struct Readings {
    /// The relay's resident memory, in KiB.
    pub(crate) rss_kib: Vec<u64>,
    /// For each link, in its order.
    pub(crate) links: Vec<Waiting>,
}

/// Bytes that wait on their way to one viewer.
#[derive(Default)]
pub(crate) struct Waiting {
    /// In the relay's socket: unsent, or sent and not acknowledged, as in `SIOCOUTQ`.
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
        let table = format!("/proc/{relay}/net/tcp");
        let sockets = fs::read_to_string(&table).with_context(|| format!("reading {table}"))?;
        for (link, waiting) in links.iter().zip(&mut readings.links) {
            let far = link.far().parse().context("the link has an address")?;
            waiting.socket.extend(sent_queue(&sockets, far));
            waiting.link.push(netns::queue(router, link)?.backlog);
        }
    }
    Ok(readings)
}

/// How many bytes wait in the connection to `peer`, in a table as `/proc/net/tcp`.
fn sent_queue(sockets: &str, peer: Ipv4Addr) -> Option<u64> {
    // As the kernel prints it: the four bytes as one number in native byte order.
    let peer = format!("{:08X}:", u32::from_ne_bytes(peer.octets()));
    sockets.lines().find_map(|line| {
        let mut fields = line.split_whitespace().skip(2);
        let (remote, state, queues) = (fields.next()?, fields.next()?, fields.next()?);
        if !remote.starts_with(&peer) || state != ESTABLISHED {
            return None;
        }
        u64::from_str_radix(queues.split_once(':')?.0, 16).ok()
    })
}

const ESTABLISHED: &str = "01";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn the_queue_to_a_peer_is_found() {
        let sockets = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n\
            0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0\n\
            1: 01014E0A:1F90 02014E0A:CB2E 06 00000001:00000000 01:00000014 00000000     0\n\
            2: 01014E0A:1F90 02014E0A:CB30 01 0000A5C8:00000000 01:00000014 00000000     0\n";
        let queue = |peer| sent_queue(sockets, peer);
        assert_eq!(queue(Ipv4Addr::new(10, 78, 1, 2)), Some(0xa5c8));
        assert_eq!(queue(Ipv4Addr::new(10, 78, 2, 2)), None);
    }
}
