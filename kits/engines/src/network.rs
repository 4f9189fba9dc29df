//! A network of the kit's own, whose address is not loopback.
//!
//! Browsers trust loopback and send headers there that plain HTTP does not get elsewhere
//! (`Sec-Fetch-Dest`), and the layout is chosen by headers.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::Result;
use kit::network::Inside;

/// Returns the address to serve on, inside the namespaces. Where there can be none, prints that and
/// returns loopback.
pub(crate) fn enter() -> Result<IpAddr> {
    if NAMESPACES.enter()? {
        return Ok(ADDRESS.into());
    }
    println!(
        "no namespaces here (`unshare` and `ip` as root are needed): served on 127.0.0.1, which \
         browsers treat otherwise than other hosts"
    );
    Ok(Ipv4Addr::LOCALHOST.into())
}

pub(crate) const NAMESPACES: Inside = Inside {
    variable: "MJPEG_ENGINES_INSIDE",
    unshare: &[],
    set_up: &[
        // The browsers' drivers are on loopback.
        "ip link set lo up",
        "ip link add view0 type veth peer name view1",
        "ip addr add 10.77.0.1/24 dev view0",
        "ip link set view0 up",
        "ip link set view1 up",
    ],
};
const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
