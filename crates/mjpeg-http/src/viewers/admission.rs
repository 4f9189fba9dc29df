//! Which viewers are admitted under a limit, and which one a new viewer replaces.

use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use crate::peer::Peer;

/// The limit that keeps a viewer out, with how many it allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    Stream(usize),
    Total(usize),
    Address(usize),
    Snapshots(usize),
    TotalSnapshots(usize),
}

impl Full {
    /// The reason, for the client that was refused.
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
            Self::Snapshots(most) => {
                format!(
                    "Too many snapshots at once: this stream may have {most} on their way. \
                     Try again later.\n"
                )
            }
            Self::TotalSnapshots(most) => {
                format!(
                    "Too many snapshots at once: all streams together may have {most} on their \
                     way. Try again later.\n"
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
pub(crate) struct ClientOrigin {
    ip: IpAddr,
    /// Many people may share this address.
    is_shared: bool,
}

impl ClientOrigin {
    /// `None` for a peer without an address.
    pub(crate) fn of(peer: Peer) -> Option<Self> {
        Some(Self {
            ip: peer.ip()?,
            is_shared: peer.is_shared(),
        })
    }

    /// What counts as one address. A home has one IPv4 address but 2^64 IPv6 addresses and more,
    /// and its machines change theirs daily. Link-local addresses are all in one network, so there
    /// each counts by itself.
    pub(crate) fn home(&self) -> IpAddr {
        match self.ip {
            IpAddr::V6(ip) if !ip.is_unicast_link_local() => {
                let [a, b, c, d, ..] = ip.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
            ip => ip,
        }
    }

    /// Whether the limit per address applies.
    pub(crate) fn is_counted(&self) -> bool {
        !self.is_shared
    }

    /// Whether a new viewer from here may replace one from that address of the same
    /// [home](Self::home) that is in this health.
    ///
    /// A shared address, or another address of the same network, may belong to another person,
    /// whose viewer is replaced only if it is dead.
    pub(crate) fn may_replace(&self, other: IpAddr, health: &Health) -> bool {
        let is_same = self.ip == other.to_canonical() && !self.is_shared;
        is_same || health.is_dead()
    }
}

/// How well a viewer keeps up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Health {
    /// How long its socket has taken no byte while there were some for it.
    pub(crate) blocked: Duration,
    /// How long the frame being sent has been on its way.
    pub(crate) sending: Duration,
    /// How long it has been watching.
    pub(crate) watching: Duration,
}

impl Health {
    fn is_dead(&self) -> bool {
        self.blocked >= DEAD_AFTER
    }

    /// The viewer with the largest value is replaced first: a dead one, then a slow one, then the
    /// oldest, which after a reload is the one left behind.
    pub(crate) fn dispensable(&self) -> (Duration, Duration, Duration) {
        let counts = |time: Duration, from| if time >= from { time } else { Duration::ZERO };
        (
            counts(self.blocked, DEAD_AFTER),
            counts(self.sending, SLOW_AFTER),
            self.watching,
        )
    }
}

/// A viewer that has taken no byte for this long counts as dead: well above the pauses of a link
/// that loses a few packets.
const DEAD_AFTER: Duration = Duration::from_secs(5);

/// A viewer that needs this long for one frame counts as slow.
const SLOW_AFTER: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::listener::ListenerConfig;

    fn origin(ip: &str) -> ClientOrigin {
        let proxies = [
            "10.0.0.0/8".parse::<ipnet::IpNet>().unwrap(),
            "2001:db8:1::1/128".parse().unwrap(),
        ];
        let config = ListenerConfig::default().with_trusted_proxies(proxies);
        let peer = Peer::from((ip.parse::<IpAddr>().unwrap(), 1));
        ClientOrigin::of(config.client(peer, &http::HeaderMap::new()))
            .expect("a peer with an address")
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
            // In the middle of a frame, as every viewer is now and then.
            health(200, 200, 10_000),
        ];
        let mut sorted = in_order;
        sorted.sort_by_key(|health| std::cmp::Reverse(health.dispensable()));
        assert_eq!(sorted, in_order);
    }
}
