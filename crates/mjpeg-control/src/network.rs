//! Whose requests count together.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

use mjpeg_manager::mjpeg_http::Peer;

/// Whose requests are counted together: those of one address, of IPv6 one /64; those without an
/// address, from Unix sockets, are from this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PeerNetwork(Option<IpAddr>);

impl PeerNetwork {
    pub(crate) fn of(peer: Option<Peer>) -> Self {
        let ip = peer.and_then(|peer| peer.addr());
        Self(ip.map(|addr| match addr.ip().to_canonical() {
            IpAddr::V6(ip) => {
                let prefix = ip.to_bits() & !u128::from(u64::MAX);
                Ipv6Addr::from_bits(prefix).into()
            }
            ip => ip,
        }))
    }
}

impl fmt::Display for PeerNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("local"),
            Some(IpAddr::V6(prefix)) => write!(f, "{prefix}/64"),
            Some(ip) => ip.fmt(f),
        }
    }
}
