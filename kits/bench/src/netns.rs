//! Machines with slow links between them, as network namespaces. They live as long as their owner.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use kit::network::{Namespace, run, run_words};
use serde::Deserialize;

/// Makes a namespace of this process's own, with a loopback device that is up.
pub(crate) fn new(role: &str) -> Result<Namespace> {
    let namespace = Namespace::new(format!("{PREFIX}{}-{role}", std::process::id()))?;
    namespace.ip("link set lo up")?;
    Ok(namespace)
}

/// Joins `home` to a router, over which it reaches whatever the router joins.
///
/// A slow link is seldom the sender's own, and it matters: TCP does not let a queue of its own
/// machine grow (TCP small queues), but it does let one grow that is a hop away.
pub(crate) fn join_router(home: &Namespace, router: &Namespace) -> Result<()> {
    wire([(home, "home", HOME), (router, "router", HOME_ROUTER)])?;
    // One segment per packet, as on a router: a queue of 32 KB has no room for what TCP hands to a
    // network card in one piece.
    home.ip("link set dev home gso_max_segs 1")?;
    home.ip(&format!("route add {ALL} via {HOME_ROUTER}"))?;
    let forward = ["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"];
    run_words(&[&router.starter()[..], &forward].concat()).map(drop)
}

/// Joins a viewer's namespace to the router by a link. What waits beyond [`QUEUE`] for its turn on
/// the link is lost.
pub(crate) fn join_viewer(router: &Namespace, viewer: &Namespace, link: &Link) -> Result<()> {
    let (near, far, device) = (link.near(), link.far(), link.device());
    wire([(router, &device, &near), (viewer, "link", &far)])?;
    viewer.ip(&format!("route add default via {near}"))?;
    let mbit = link.mbit;
    let tbf = format!("tbf rate {mbit}mbit burst {QUEUE} limit {QUEUE}");
    let add = format!("qdisc add dev {device} root {tbf}");
    router.tc(&add).map(drop)
}

/// Makes a pair of devices, one in each namespace.
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

/// What has passed the queue of a link, and what it had no room for.
pub(crate) fn queue(router: &Namespace, link: &Link) -> Result<Queue> {
    let text = router.tc(&format!("-s -j qdisc show dev {}", link.device()))?;
    let all: Vec<Queue> = serde_json::from_str(&text)
        .with_context(|| format!("`tc -s -j qdisc` is not understood: {text}"))?;
    let found = all.into_iter().find(|queue| queue.kind == "tbf");
    found.context("the link has no tbf")
}

/// Chooses how TCP finds its rate on the way over the router. The route says so, because namespaces
/// are not as free to choose for themselves.
pub(crate) fn choose_congestion_control(home: &Namespace, name: &str) -> Result<()> {
    home.ip(&format!(
        "route replace {ALL} via {HOME_ROUTER} congctl {name}"
    ))
    .map(drop)
    .context("see /proc/sys/net/ipv4/tcp_available_congestion_control")
}

/// A link between the router and a viewer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    /// From 1; part of the names of its devices and of its addresses.
    pub(crate) number: u8,
    pub(crate) mbit: u32,
}

impl Link {
    fn near(&self) -> String {
        format!("10.78.{}.1", self.number)
    }

    pub(crate) fn far(&self) -> String {
        format!("10.78.{}.2", self.number)
    }

    fn device(&self) -> String {
        format!("link{}", self.number)
    }
}

/// The figures of a queue in `tc -s`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Queue {
    kind: String,
    pub(crate) packets: u64,
    /// Lost packets.
    pub(crate) drops: u64,
    /// Bytes that are waiting.
    pub(crate) backlog: u64,
}

/// Why the system allows no namespaces, if so.
pub(crate) fn refused() -> Option<String> {
    let error = new("try").err()?;
    Some(format!("{error:#}"))
}

/// Removes the namespaces that killed runs have left behind.
pub(crate) fn sweep() -> Result<()> {
    let Ok(entries) = fs::read_dir(NAMESPACES) else {
        return Ok(());
    };
    for entry in entries {
        let name = entry?.file_name();
        let Some(owner) = name.to_str().and_then(owner) else {
            continue;
        };
        if !Path::new(&format!("/proc/{owner}")).exists() {
            drop(Namespace::left_behind(name.to_string_lossy()));
        }
    }
    Ok(())
}

/// The process that made the namespace of this name.
fn owner(name: &str) -> Option<u32> {
    let (owner, _) = name.strip_prefix(PREFIX)?.split_once('-')?;
    owner.parse().ok()
}

const PREFIX: &str = "mjpeg-lag-";
/// The size of the token bucket, and of the queue for it.
const QUEUE: &str = "32kb";
const NAMESPACES: &str = "/run/netns";
/// The address at home, the router's address there, and the network of all addresses.
pub(crate) const HOME: &str = "10.78.0.1";
const HOME_ROUTER: &str = "10.78.0.2";
const ALL: &str = "10.78.0.0/16";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_is_in_the_name() {
        assert_eq!(owner("mjpeg-lag-123-relay"), Some(123));
        assert_eq!(owner("mjpeg-lag-x-relay"), None);
        assert_eq!(owner("mjpeg-lag-123"), None);
        assert_eq!(owner("vpn"), None);
    }

    #[test]
    fn queues_are_read_from_what_tc_prints() {
        let text = r#"[{"kind":"tbf","handle":"8001:","root":true,"refcnt":3,"options":{"rate":500000,
            "burst":32768,"lat":0},"bytes":7,"packets":6,"drops":5,"overlimits":4,"requeues":0,"backlog":3,"qlen":2}]"#;
        let all: Vec<Queue> = serde_json::from_str(text).unwrap();
        let Queue {
            packets,
            drops,
            backlog,
            ..
        } = all[0];
        assert_eq!((packets, drops, backlog), (6, 5, 3));
    }
}
