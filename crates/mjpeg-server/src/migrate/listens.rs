//! Addresses at which other programs listen.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The address that a host and a port mean. A host that is no address is only this machine, so that
/// nothing is open that was not; the second value says so.
pub(super) fn address(host: Option<&str>, port: u16) -> (SocketAddr, Option<String>) {
    let host = host.map(str::trim).unwrap_or("");
    let bare = host.trim_matches(['[', ']']);
    let (ip, note): (IpAddr, _) = match bare {
        "" | "*" | "::" | "0.0.0.0" => (Ipv6Addr::UNSPECIFIED.into(), None),
        "localhost" => (Ipv4Addr::LOCALHOST.into(), None),
        _ => match bare.parse() {
            Ok(ip) => (ip, None),
            Err(_) => {
                let note = format!(
                    "it listened at {host}, which is no address: now only this machine can connect"
                );
                (Ipv4Addr::LOCALHOST.into(), Some(note))
            }
        },
    };
    (SocketAddr::new(ip, port), note)
}

/// Reads a port.
pub(super) fn port(text: &str) -> Option<u16> {
    text.trim().parse().ok().filter(|port| *port != 0)
}

/// Reads `HOST:PORT` or `:PORT`.
pub(super) fn host_and_port(text: &str) -> Option<(SocketAddr, Option<String>)> {
    let (host, number) = text.trim().rsplit_once(':')?;
    Some(address(Some(host), port(number)?))
}
