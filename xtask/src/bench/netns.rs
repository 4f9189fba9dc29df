//! Network namespaces with slow links between them. They live as long as their owner does.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

/// A network namespace of this process's own, with a loopback device that is up.
pub(crate) struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes one.
    pub(crate) fn new(role: &str) -> Result<Self> {
        let own = std::process::id();
        let name = format!("{PREFIX}{own}-{role}");
        ip(&["netns", "add", &name])?;
        // From here on, failure removes it.
        let namespace = Self { name };
        namespace.ip(&["link", "set", "lo", "up"])?;
        Ok(namespace)
    }

    /// The words before a program's name that start it in here.
    pub(crate) fn starter(&self) -> [&str; 4] {
        ["ip", "netns", "exec", &self.name]
    }

    /// Joins this one to a router, over which it reaches whatever the router joins.
    ///
    /// A slow link is seldom the sender's own, and it matters: TCP does not let a queue of its own machine grow (TCP small queues), one that
    /// is a hop away it does.
    pub(crate) fn join_router(&self, router: &Self) -> Result<()> {
        self.wire(router, HOME, HOME_ROUTER, ["home", "router"])?;
        // One segment per packet, as a router has it: a queue of 32 KB has no room for what TCP hands to a network card in one piece.
        self.ip(&["link", "set", "dev", "home", "gso_max_segs", "1"])?;
        self.ip(&["route", "add", ALL, "via", HOME_ROUTER])?;
        router
            .run(&["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"])
            .map(drop)
    }

    /// As a router, joins a viewer's namespace by a link that carries so many Mbit/s to it. What waits for its turn beyond [`QUEUE`] is lost.
    pub(crate) fn join_viewer(&self, viewer: &Self, link: &Link) -> Result<()> {
        let (near, far, device) = (link.near(), link.far(), link.device());
        self.wire(viewer, &near, &far, [&device, "link"])?;
        viewer.ip(&["route", "add", "default", "via", &near])?;
        let rate = format!("{}mbit", link.mbit);
        let queue = ["tbf", "rate", &rate, "burst", QUEUE, "limit", QUEUE];
        let add = ["-n", &self.name, "qdisc", "add", "dev", &device, "root"];
        output("tc", &[&add[..], &queue].concat()).map(drop)
    }

    /// A pair of devices, the first in here.
    fn wire(&self, other: &Self, here: &str, there: &str, names: [&str; 2]) -> Result<()> {
        let [device, peer] = names;
        ip(&[
            "link",
            "add",
            device,
            "netns",
            &self.name,
            "type",
            "veth",
            "peer",
            "name",
            peer,
            "netns",
            &other.name,
        ])?;
        for (namespace, address, device) in [(self, here, device), (other, there, peer)] {
            namespace.ip(&["addr", "add", &format!("{address}/24"), "dev", device])?;
            namespace.ip(&["link", "set", "dev", device, "up"])?;
        }
        Ok(())
    }

    /// What has gone through the queue of a link, and what it had no room for.
    pub(crate) fn queue(&self, link: &Link) -> Result<Queue> {
        let device = link.device();
        let show = ["-n", &self.name, "-s", "-j", "qdisc", "show", "dev"];
        let text = output("tc", &[&show[..], &[&device]].concat())?;
        let all: Vec<Queue> = serde_json::from_str(&text)
            .with_context(|| format!("`tc -s -j qdisc` is not understood: {text}"))?;
        let found = all.into_iter().find(|queue| queue.kind == "tbf");
        found.context("the link has no tbf")
    }

    /// Chooses how TCP finds its rate on the way over the router. By the route: namespaces may not choose for themselves as freely.
    pub(crate) fn choose_congestion_control(&self, name: &str) -> Result<()> {
        self.ip(&["route", "replace", ALL, "via", HOME_ROUTER, "congctl", name])
            .context("see /proc/sys/net/ipv4/tcp_available_congestion_control")
    }

    fn run(&self, words: &[&str]) -> Result<String> {
        let [program, starter @ ..] = self.starter();
        output(program, &[&starter[..], words].concat())
    }

    fn ip(&self, arguments: &[&str]) -> Result<()> {
        ip(&[&["-n", &self.name], arguments].concat())
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // Its links go with it. Nothing can be done about one that stays; the next run tries again.
        let _ = ip(&["netns", "delete", &self.name]);
    }
}

/// A link between the router and a viewer.
#[derive(Debug)]
pub(crate) struct Link {
    /// From 1; part of its devices' names and of its addresses.
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

/// What `tc -s` tells of a queue.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Queue {
    kind: String,
    pub(crate) packets: u64,
    /// Packets.
    pub(crate) drops: u64,
    /// Bytes that wait now.
    pub(crate) backlog: u64,
}

/// Why there can be no namespaces here, if so.
pub(crate) fn refused() -> Option<String> {
    let error = Namespace::new("try").err()?;
    Some(format!("{error:#}"))
}

/// Removes what runs that were killed have left.
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
            drop(Namespace {
                name: name.to_string_lossy().into_owned(),
            });
        }
    }
    Ok(())
}

/// The process that has made a namespace of this name.
fn owner(name: &str) -> Option<u32> {
    let (owner, _) = name.strip_prefix(PREFIX)?.split_once('-')?;
    owner.parse().ok()
}

fn ip(arguments: &[&str]) -> Result<()> {
    output("ip", arguments).map(drop)
}

fn output(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .with_context(|| format!("starting {program}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{program} {}`: {}", arguments.join(" "), said.trim());
    }
    String::from_utf8(output.stdout).context("it printed no text")
}

const PREFIX: &str = "mjpeg-lag-";
/// Of the token bucket and of what may wait for it.
const QUEUE: &str = "32kb";
const NAMESPACES: &str = "/run/netns";
/// The addresses of the one that has a router, of the router there, and of all.
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
