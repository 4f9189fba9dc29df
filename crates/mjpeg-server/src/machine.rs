//! What this machine is called, and where it is reached.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// The machine's names: its own, in full and without its domain, and that of mDNS.
pub(crate) fn names() -> Vec<String> {
    let Some(name) = hostname().map(|name| name.to_ascii_lowercase()) else {
        return Vec::new();
    };
    let name = name.trim_end_matches('.');
    let first = name.split('.').next().unwrap_or(name);
    if first.is_empty() || first == "localhost" {
        return Vec::new();
    }
    let mut names = vec![first.to_owned(), format!("{first}.local")];
    if !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
    names
}

/// The addresses from which the machine reaches others, which is where they reach it.
pub(crate) fn addresses() -> Vec<IpAddr> {
    // Nothing is sent: connecting a UDP socket only chooses a route. These addresses are reserved
    // for documentation, so the route is the default one.
    let routes: [(IpAddr, IpAddr); 2] = [
        (
            Ipv4Addr::UNSPECIFIED.into(),
            Ipv4Addr::new(192, 0, 2, 1).into(),
        ),
        (
            Ipv6Addr::UNSPECIFIED.into(),
            Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
        ),
    ];
    let local = |(from, to): (IpAddr, IpAddr)| {
        let socket = UdpSocket::bind(SocketAddr::from((from, 0))).ok()?;
        socket.connect(SocketAddr::from((to, 9))).ok()?;
        Some(socket.local_addr().ok()?.ip())
    };
    let addresses = routes.into_iter().filter_map(local);
    addresses.filter(|ip| !ip.is_unspecified()).collect()
}

#[cfg(unix)]
fn hostname() -> Option<String> {
    let system = rustix::system::uname();
    Some(system.nodename().to_str().ok()?.to_owned())
}

#[cfg(not(unix))]
fn hostname() -> Option<String> {
    std::env::var("COMPUTERNAME").ok()
}
