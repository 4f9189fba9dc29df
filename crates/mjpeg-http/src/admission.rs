//! Who gets in where there may be only so many viewers, and who has to go for it.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::{HttpConfig, stats::Counter};

/// How many viewers several streams may have together. Clones are one limit: give them to the [`HttpConfig`]s of all those streams.
///
/// ```
/// use mjpeg_http::{HttpConfig, ViewerLimit};
///
/// let together = ViewerLimit::new(500);
/// let door = HttpConfig::default().with_viewer_limit(together.clone());
/// let yard = HttpConfig::default().with_viewer_limit(together.clone());
/// # let _ = (door, yard);
/// assert_eq!((together.most(), together.viewers(), together.refused()), (500, 0, 0));
/// ```
#[derive(Clone, Debug)]
pub struct ViewerLimit(Arc<Total>);

#[derive(Debug)]
struct Total {
    most: usize,
    now: AtomicUsize,
    refused: Counter,
}

impl ViewerLimit {
    /// Makes a limit of so many viewers.
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Total {
            most,
            now: AtomicUsize::new(0),
            refused: Counter::default(),
        }))
    }

    /// The limit.
    pub fn most(&self) -> usize {
        self.0.most
    }

    /// How many viewers there are now.
    pub fn viewers(&self) -> usize {
        self.0.now.load(Ordering::Relaxed)
    }

    /// How many were refused because of this limit.
    pub fn refused(&self) -> u64 {
        self.0.refused.read()
    }

    /// Takes a place, if one is free.
    pub(crate) fn take(&self) -> bool {
        let more = |now| (now < self.0.most).then_some(now + 1);
        let taken = self
            .0
            .now
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.is_ok()
    }

    pub(crate) fn give_back(&self) {
        self.0.now.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn count_refused(&self) {
        self.0.refused.add_one();
    }
}

/// Which limit keeps a viewer out, and how many it allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    Stream(usize),
    Total(usize),
    Address(usize),
}

impl Full {
    /// The reason, for whoever was refused.
    pub(crate) fn reason(self) -> String {
        match self {
            Self::Stream(most) => {
                format!("Too many viewers: this stream may have {most}. Try again later.\n")
            }
            Self::Total(most) => {
                format!(
                    "Too many viewers: all streams together may have {most}. Try again later.\n"
                )
            }
            Self::Address(most) => {
                format!("Too many viewers from your address: it may have {most} of this stream.\n")
            }
        }
    }
}

/// Where a viewer comes from, as the limits see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    ip: IpAddr,
    /// Many people may be behind this address: a proxy, or a program of this machine that serves others.
    is_shared: bool,
}

impl Origin {
    pub(crate) fn of(peer: SocketAddr, config: &HttpConfig) -> Self {
        // A socket for both families gives IPv4 addresses in the form of IPv6 ones.
        let ip = peer.ip().to_canonical();
        let is_proxy = config.trusted_proxies.iter().any(|net| net.contains(&ip));
        Self {
            ip,
            is_shared: ip.is_loopback() || is_proxy,
        }
    }

    /// What counts as one address. A home has one of IPv4 but 2^64 of IPv6 and more, of which its machines change theirs daily. Link-local
    /// ones are all in one network, so there it is the address.
    pub(crate) fn home(&self) -> IpAddr {
        match self.ip {
            IpAddr::V6(ip) if !ip.is_unicast_link_local() => {
                let [a, b, c, d, ..] = ip.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
            ip => ip,
        }
    }

    /// Whether the limit per address holds for it.
    pub(crate) fn is_counted(&self) -> bool {
        !self.is_shared
    }

    /// Whether a newcomer from here may take the place of a viewer from there, of the same [home](Self::home), that is doing like this.
    ///
    /// Behind a shared address, and elsewhere in a network, there may be somebody else: his viewer must be dead.
    pub(crate) fn may_replace(&self, other: IpAddr, health: &Health) -> bool {
        let is_same = self.ip == other.to_canonical() && !self.is_shared;
        is_same || health.is_dead()
    }
}

/// How a viewer is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Health {
    /// For how long its socket has taken no byte, while there were some for it.
    pub(crate) blocked: Duration,
    /// For how long the frame it is at has been on its way to it.
    pub(crate) sending: Duration,
    pub(crate) watching: Duration,
}

impl Health {
    fn is_dead(&self) -> bool {
        self.blocked >= DEAD_AFTER
    }

    /// Who has the most of it goes first: the dead, then the slow, then the oldest, which after a reload is the one that was left behind.
    pub(crate) fn dispensable(&self) -> (Duration, Duration, Duration) {
        let counts = |time: Duration, from| if time >= from { time } else { Duration::ZERO };
        (
            counts(self.blocked, DEAD_AFTER),
            counts(self.sending, SLOW_AFTER),
            self.watching,
        )
    }
}

/// Without a byte taken for so long, a viewer gives its place to another. Well above what a link needs that loses a few packets.
const DEAD_AFTER: Duration = Duration::from_secs(5);

/// One that needs so long for a frame counts as slow.
const SLOW_AFTER: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(ip: &str) -> Origin {
        let config = HttpConfig::default().with_trusted_proxies([
            "10.0.0.0/8".parse::<ipnet::IpNet>().unwrap(),
            "2001:db8:1::1/128".parse().unwrap(),
        ]);
        Origin::of((ip.parse::<IpAddr>().unwrap(), 1).into(), &config)
    }

    fn health(blocked_ms: u64, sending_ms: u64, watching_ms: u64) -> Health {
        Health {
            blocked: Duration::from_millis(blocked_ms),
            sending: Duration::from_millis(sending_ms),
            watching: Duration::from_millis(watching_ms),
        }
    }

    #[test]
    fn loopback_and_trusted_proxies_are_not_counted() {
        for ip in [
            "127.0.0.1",
            "127.8.9.1",
            "::1",
            "::ffff:127.0.0.1",
            "10.1.2.3",
            "::ffff:10.1.2.3",
            "2001:db8:1::1",
        ] {
            assert!(!origin(ip).is_counted(), "{ip}");
        }
        for ip in ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8:1::2", "fe80::1"] {
            assert!(origin(ip).is_counted(), "{ip}");
        }
    }

    #[test]
    fn one_home_is_one_address_of_ipv4_or_one_network_of_ipv6() {
        let same = |a: &str, b: &str| origin(a).home() == origin(b).home();
        assert!(same("192.0.2.1", "::ffff:192.0.2.1"));
        assert!(!same("192.0.2.1", "192.0.2.2"));
        assert!(same("2001:db8::1", "2001:db8::ffff:1:2:3"));
        assert!(!same("2001:db8::1", "2001:db8:0:1::1"));
        assert!(!same("fe80::1", "fe80::2"));
    }

    #[test]
    fn only_the_dead_are_replaced_where_it_may_be_another_person() {
        let (lively, dead) = (health(4_999, 60_000, 60_000), health(5_000, 5_000, 5_000));
        let may =
            |from: &str, to: &str, health| origin(from).may_replace(to.parse().unwrap(), &health);
        for (from, to, replaces_lively) in [
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("2001:db8::1", "2001:db8::1", true),
            ("2001:db8::1", "2001:db8::2", false),
            ("127.0.0.1", "127.0.0.1", false),
            ("10.0.0.1", "10.0.0.1", false),
        ] {
            assert_eq!(may(from, to, lively), replaces_lively, "{from} {to}");
            assert!(may(from, to, dead), "{from} {to}");
        }
    }

    #[test]
    fn the_dead_go_first_then_the_slow_then_the_oldest() {
        let in_order = [
            health(20_000, 20_000, 30_000),
            health(6_000, 20_000, 40_000),
            health(300, 10_000, 20_000),
            health(900, 2_000, 50_000),
            health(0, 0, 90_000),
            // At a frame, as everybody is now and then.
            health(200, 200, 10_000),
        ];
        let mut sorted = in_order;
        sorted.sort_by_key(|health| std::cmp::Reverse(health.dispensable()));
        assert_eq!(sorted, in_order);
    }
}
