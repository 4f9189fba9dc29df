//! Machines with slow links between them, as network namespaces.

use std::net::Ipv4Addr;

use anyhow::{Context as _, Result};
use kit::network::{Inside, Namespace, run, run_words};
use serde::Deserialize;

/// The namespaces of the kit itself. All others are within them and vanish with them.
pub(crate) const NAMESPACES: Inside = Inside {
    variable: "MJPEG_LAG_INSIDE",
    unshare: &["--mount"],
    // `ip netns` keeps its names in /run/netns. Other programs must not see ours.
    set_up: &["mount -t tmpfs none /run", "mkdir -p /run/netns"],
};

/// Creates a namespace whose loopback device is up.
pub(crate) fn new(name: &str) -> Result<Namespace> {
    let namespace = Namespace::new(name)?;
    namespace.ip("link set lo up")?;
    Ok(namespace)
}

/// Joins `home` to a router, through which it reaches all networks that the router joins. TCP finds
/// its rate by this congestion control; the route names it because a namespace may not choose its
/// own default.
///
/// The slow link is a hop away from the sender, as slow links usually are. This matters: TCP does
/// not let a queue in its own machine grow (TCP small queues), but it does fill a remote one.
pub(crate) fn join_router(home: &Namespace, router: &Namespace, congestion: &str) -> Result<()> {
    wire([(home, "home", HOME), (router, "router", HOME_ROUTER)])?;
    // One segment per packet, as on a router: a queue of 32 KB cannot take the large pieces that
    // TCP hands to a network card.
    home.ip("link set dev home gso_max_segs 1")?;
    home.ip(&format!(
        "route add {ALL} via {HOME_ROUTER} congctl {congestion}"
    ))
    .context("see /proc/sys/net/ipv4/tcp_available_congestion_control")?;
    let forward = ["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"];
    run_words(&[&router.starter()[..], &forward].concat()).map(drop)
}

/// Joins a viewer's namespace to the router by a link. Packets that exceed the link's queue are
/// lost.
pub(crate) fn join_viewer(router: &Namespace, viewer: &Namespace, link: &Link) -> Result<()> {
    let (near, far, device) = (link.near(), link.far().to_string(), link.device());
    wire([(router, &device, &near), (viewer, "link", &far)])?;
    viewer.ip(&format!("route add default via {near}"))?;
    let mbit = link.mbit;
    let tbf = format!("tbf rate {mbit}mbit burst {QUEUE} limit {QUEUE}");
    let add = format!("qdisc add dev {device} root {tbf}");
    router.tc(&add).map(drop)
}

/// Creates a pair of connected devices, one in each namespace.
fn wire(ends: [(&Namespace, &str, &str); 2]) -> Result<()> {
    let [(one, device, _), (other, peer, _)] = ends;
    let (one, other) = (one.name(), other.name());
    run(&format!(
        "ip link add {device} netns {one} type veth peer name {peer} netns {other}"
    ))?;
    for (namespace, device, address) in ends {
        namespace.set_address(device, address)?;
    }
    Ok(())
}

/// The queue of a link: what it has passed, dropped and holds now.
pub(crate) fn queue(router: &Namespace, link: &Link) -> Result<Queue> {
    let text = router.tc(&format!("-s -j qdisc show dev {}", link.device()))?;
    let all: Vec<Queue> = serde_json::from_str(&text)
        .with_context(|| format!("cannot read the output of `tc -s -j qdisc`: {text}"))?;
    let found = all.into_iter().find(|queue| queue.kind == "tbf");
    found.context("the link has no tbf")
}

/// A link between the router and a viewer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    /// From 1. Part of the names of its devices and of its addresses.
    pub(crate) number: u8,
    pub(crate) mbit: u32,
}

impl Link {
    fn near(&self) -> String {
        format!("10.78.{}.1", self.number)
    }

    pub(crate) fn far(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 78, self.number, 2)
    }

    fn device(&self) -> String {
        format!("link{}", self.number)
    }
}

/// The figures of a queue, as `tc -s` prints them.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Queue {
    kind: String,
    pub(crate) packets: u64,
    /// Lost packets.
    pub(crate) drops: u64,
    /// Bytes waiting.
    pub(crate) backlog: u64,
}

/// The size of the token bucket and of the queue in front of it.
const QUEUE: &str = "32kb";
/// The relay's address, the router's address on that network, and the network of all addresses.
pub(crate) const HOME: &str = "10.78.0.1";
const HOME_ROUTER: &str = "10.78.0.2";
const ALL: &str = "10.78.0.0/16";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_are_read_from_what_tc_prints() {
        let text = r#"[{"kind":"tbf","handle":"8001:","root":true,"refcnt":3,"options":{"rate":500000,
            "burst":32768,"lat":0},"bytes":7,"packets":6,"drops":5,"overlimits":4,"requeues":0,"backlog":3,"qlen":2}]"#;
        let all: Vec<Queue> = serde_json::from_str(text).unwrap();
        assert_eq!((all[0].packets, all[0].drops, all[0].backlog), (6, 5, 3));
    }
}
