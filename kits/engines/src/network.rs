//! The kit's own network, whose address is not a loopback address.
//!
//! Browsers trust loopback. They send headers there that they do not send over plain HTTP elsewhere
//! (`Sec-Fetch-Dest`), and the relay chooses the layout by headers.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::Result;
use kit::network::Inside;

/// Enters the namespaces, and returns the address to serve on. If the system allows none, prints
/// that and returns a loopback address.
pub(crate) fn enter() -> Result<IpAddr> {
    if NAMESPACES.enter()? {
        return Ok(ADDRESS.into());
    }
    println!(
        "no namespaces here (they need root, `unshare` and `ip`): served on 127.0.0.1, which \
         browsers treat differently from other hosts"
    );
    Ok(Ipv4Addr::LOCALHOST.into())
}

pub(crate) const NAMESPACES: Inside = Inside {
    variable: "MJPEG_ENGINES_INSIDE",
    unshare: &[],
    set_up: &[
        // The browsers' drivers listen on loopback.
        "ip link set lo up",
        "ip link add view0 type veth peer name view1",
        "ip addr add 10.77.0.1/24 dev view0",
        "ip link set view0 up",
        "ip link set view1 up",
    ],
};
const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
