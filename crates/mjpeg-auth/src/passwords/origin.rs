//! What counts as one address.

use std::net::{IpAddr, Ipv6Addr};

use mjpeg_http::Peer;

/// The address that failures of a client are counted for: its IPv4 address, or its IPv6 network of
/// 64 bits, within which a machine can choose any address. Link-local addresses are all in one
/// network, so there each counts by itself. `None` for an address that many people may share.
pub(crate) fn home(peer: &Peer) -> Option<IpAddr> {
    if peer.is_shared() {
        return None;
    }
    match peer.addr()?.ip().to_canonical() {
        IpAddr::V6(ip) if !ip.is_unicast_link_local() => {
            let [a, b, c, d, ..] = ip.segments();
            Some(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into())
        }
        ip => Some(ip),
    }
}
