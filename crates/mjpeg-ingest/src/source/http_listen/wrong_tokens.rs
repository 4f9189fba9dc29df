//! Lines of the log about wrong tokens, for who bans guessers.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use tracing::warn;

use super::guests::network;

/// Logs that somebody has sent a wrong token, unless too many lines were written lately. The
/// `path` is one that a source has.
pub(super) fn log(peer: IpAddr, path: &str) {
    static LINES: Mutex<TokenLines> = Mutex::new(TokenLines::new());
    let lines = LINES.lock();
    let is_logged = lines
        .unwrap_or_else(PoisonError::into_inner)
        .admit(peer, Instant::now());
    if is_logged {
        let peer = peer.to_canonical().to_string();
        // Quoted and escaped, so that nothing in it looks like another field.
        warn!(target: "mjpeg_ingest::push", peer, ?path, "wrong token");
    }
}

/// Decides which wrong tokens get a line. All are counted.
#[derive(Debug)]
struct TokenLines {
    /// When the minute began.
    since: Option<Instant>,
    /// How many lines each network has in this minute.
    of_networks: BTreeMap<IpAddr, u32>,
}

impl TokenLines {
    const fn new() -> Self {
        Self {
            since: None,
            of_networks: BTreeMap::new(),
        }
    }

    fn admit(&mut self, peer: IpAddr, now: Instant) -> bool {
        let is_over = |since| now.saturating_duration_since(since) >= MINUTE;
        if self.since.is_none_or(is_over) {
            (self.since, self.of_networks) = (Some(now), BTreeMap::new());
        }
        let network = network(peer);
        let is_known = self.of_networks.contains_key(&network);
        if !is_known && self.of_networks.len() >= MOST_NETWORKS {
            return false;
        }
        let lines = self.of_networks.entry(network).or_default();
        let is_admitted = *lines < MOST_LINES;
        *lines += u32::from(is_admitted);
        is_admitted
    }
}

const MINUTE: Duration = Duration::from_secs(60);

/// Of each network in a minute: as many as the usual rules for a ban ask for.
const MOST_LINES: u32 = 5;

/// As many networks have lines in a minute.
const MOST_NETWORKS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_network_has_a_few_lines_a_minute_and_a_hundred_have_any() {
        let mut lines = TokenLines::new();
        let start = Instant::now();
        let mut admitted = |peer: &str, times: usize, after: u64| {
            let (peer, now) = (peer.parse().unwrap(), start + Duration::from_secs(after));
            (0..times).filter(|_| lines.admit(peer, now)).count()
        };
        assert_eq!(admitted("192.0.2.1", 9, 0), 5);
        assert_eq!(admitted("::ffff:192.0.2.1", 1, 1), 0);
        assert_eq!(admitted("2001:db8::1", 3, 1), 3);
        assert_eq!(admitted("2001:db8::ffff:1", 9, 1), 2);
        for nth in 0..98 {
            assert_eq!(admitted(&format!("10.0.0.{nth}"), 1, 2), 1);
        }
        assert_eq!(admitted("10.0.0.98", 1, 2), 0, "the 101st");
        assert_eq!(admitted("10.0.0.97", 1, 59), 1);
        assert_eq!(admitted("10.0.0.98", 9, 60), 5, "the next minute");
    }
}
