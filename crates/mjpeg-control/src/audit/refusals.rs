//! How many refused changes are logged.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mjpeg_manager::mjpeg_http::Peer;
use tokio::{sync::Notify, time::sleep};
use tracing::warn;

use crate::network::PeerNetwork;

/// Decides which refused changes get a line of their own, so that nobody can flood the log; the
/// others are counted, and told at the end of the minute in which they came.
#[derive(Default)]
pub(crate) struct Refusals {
    minute: Mutex<Minute>,
    /// Told of the first refusal of a minute.
    begun: Notify,
}

/// What was refused since the minute began.
#[derive(Default)]
struct Minute {
    of_networks: BTreeMap<PeerNetwork, RefusalCount>,
    /// How many came from further addresses.
    others: u64,
}

#[derive(Default)]
struct RefusalCount {
    logged: usize,
    counted: u64,
}

impl Refusals {
    /// Whether this refusal gets a line of its own. If not, it is counted.
    pub(crate) fn admit(&self, peer: Option<Peer>) -> bool {
        let mut minute = self.minute();
        let network = PeerNetwork::of(peer);
        let is_known = minute.of_networks.contains_key(&network);
        if !is_known && minute.of_networks.len() == MOST_NETWORKS {
            minute.others += 1;
            return false;
        }
        if minute.of_networks.is_empty() {
            self.begun.notify_one();
        }
        let refused = minute.of_networks.entry(network).or_default();
        let is_logged = refused.logged < MOST_LINES;
        match is_logged {
            true => refused.logged += 1,
            false => refused.counted += 1,
        }
        is_logged
    }

    /// Tells of those that were counted, minute by minute, as long as there are any. Never returns.
    pub(crate) async fn run(self: Arc<Self>) {
        loop {
            self.begun.notified().await;
            sleep(MINUTE).await;
            for (peer, refused) in self.counted() {
                warn!(
                    target: "mjpeg_control::audit",
                    peer, refused, "further changes were refused"
                );
            }
        }
    }

    /// Ends the minute. Returns whose refusals had no line, and how many these were.
    fn counted(&self) -> Vec<(String, u64)> {
        let minute = std::mem::take(&mut *self.minute());
        let of_networks = minute.of_networks.into_iter();
        let counted = of_networks.map(|(network, refused)| (network.to_string(), refused.counted));
        let counted = counted.chain([("others".to_owned(), minute.others)]);
        counted.filter(|(_, refused)| *refused > 0).collect()
    }

    /// Nothing that is done under the lock can panic.
    fn minute(&self) -> MutexGuard<'_, Minute> {
        self.minute.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const MINUTE: Duration = Duration::from_secs(60);
/// Of each address in a minute.
const MOST_LINES: usize = 10;
/// As many addresses have lines in a minute.
const MOST_NETWORKS: usize = 100;

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn peer(text: &str) -> Option<Peer> {
        Some(Peer::from(text.parse::<SocketAddr>().unwrap()))
    }

    #[test]
    fn each_address_has_a_few_lines_a_minute_and_the_rest_is_counted() {
        let refusals = Refusals::default();
        let admitted = |text: &str, times: usize| {
            let peer = (!text.is_empty()).then(|| peer(text).unwrap());
            (0..times).filter(|_| refusals.admit(peer)).count()
        };
        assert_eq!(admitted("192.0.2.1:1", 10), 10);
        assert_eq!(admitted("192.0.2.1:2", 3), 0);
        assert_eq!(admitted("[::ffff:192.0.2.1]:3", 1), 0);
        assert_eq!(admitted("192.0.2.2:1", 11), 10);
        assert_eq!(admitted("[2001:db8::1]:1", 9), 9);
        assert_eq!(admitted("[2001:db8::ffff:0:0:2]:1", 4), 1);
        assert_eq!(admitted("", 12), 10);
        let expected = [
            ("local", 2),
            ("192.0.2.1", 4),
            ("192.0.2.2", 1),
            ("2001:db8::/64", 3),
        ];
        let expected = expected.map(|(peer, refused)| (peer.to_owned(), refused));
        assert_eq!(refusals.counted(), expected);
        assert_eq!(refusals.counted(), [], "the next minute");
        assert_eq!(admitted("192.0.2.1:1", 11), 10);
    }

    #[test]
    fn many_addresses_have_no_more_lines_than_a_hundred() {
        let refusals = Refusals::default();
        let addresses = (0..300).map(|at| peer(&format!("10.0.{}.{}:1", at / 256, at % 256)));
        let admitted = addresses.filter(|peer| refusals.admit(*peer)).count();
        assert_eq!(admitted, MOST_NETWORKS);
        assert_eq!(refusals.counted(), [("others".to_owned(), 200)]);
    }

    #[tokio::test(start_paused = true)]
    async fn every_minute_with_refusals_is_ended() {
        let refusals = Arc::new(Refusals::default());
        let running = tokio::spawn(Arc::clone(&refusals).run());
        for _ in 0..3 {
            assert_eq!((0..20).filter(|_| refusals.admit(None)).count(), 10);
            sleep(MINUTE + Duration::from_secs(1)).await;
        }
        running.abort();
    }
}
