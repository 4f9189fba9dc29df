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

    /// Joins this one, at `.1`, to another, at `.2`, by a link that carries `mbit` Mbit/s from here to there.
    ///
    /// What waits for its turn beyond [`QUEUE`] is lost, as at a router.
    pub(crate) fn join(&self, other: &Self, link: &Link) -> Result<()> {
        let (here, there) = (link.device(), link.far_device());
        let rate = format!("{}mbit", link.mbit);
        let (name, peer) = (&self.name, &other.name);
        ip(&[
            "link", "add", &here, "netns", name, "type", "veth", "peer", "name", &there, "netns",
            peer,
        ])?;
        self.ip(&["addr", "add", &format!("{}/24", link.near()), "dev", &here])?;
        other.ip(&["addr", "add", &format!("{}/24", link.far()), "dev", &there])?;
        // One segment per packet: a queue of 32 KB has no room for what TCP hands to a network card in one piece.
        self.ip(&["link", "set", &here, "gso_max_segs", "1", "up"])?;
        other.ip(&["link", "set", &there, "up"])?;
        let queue = ["tbf", "rate", &rate, "burst", QUEUE, "limit", QUEUE];
        let add = ["-n", name, "qdisc", "add", "dev", &here, "root"];
        output("tc", &[&add[..], &queue].concat()).map(drop)
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

    /// How TCP finds its rate in here, such as `cubic`.
    pub(crate) fn congestion_control(&self) -> Result<String> {
        let [program, words @ ..] = self.starter();
        let text = output(
            program,
            &[&words[..], &["cat", CONGESTION_CONTROL]].concat(),
        )?;
        Ok(text.trim().to_owned())
    }

    /// Chooses how TCP finds its rate in here.
    pub(crate) fn set_congestion_control(&self, name: &str) -> Result<()> {
        let [program, words @ ..] = self.starter();
        let write = ["sh", "-c", "echo \"$1\" > \"$2\"", "sh"];
        let words = [&words[..], &write, &[name, CONGESTION_CONTROL]].concat();
        output(program, &words).map(drop).with_context(|| {
            format!("the kernel does not know {name}, see /proc/sys/net/ipv4/tcp_available_congestion_control")
        })
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

/// A link between two namespaces.
#[derive(Debug)]
pub(crate) struct Link {
    /// Part of its devices' names and of its addresses.
    pub(crate) number: u8,
    pub(crate) mbit: u32,
}

impl Link {
    pub(crate) fn near(&self) -> String {
        format!("10.78.{}.1", self.number)
    }

    pub(crate) fn far(&self) -> String {
        format!("10.78.{}.2", self.number)
    }

    fn device(&self) -> String {
        format!("near{}", self.number)
    }

    fn far_device(&self) -> String {
        format!("far{}", self.number)
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
const CONGESTION_CONTROL: &str = "/proc/sys/net/ipv4/tcp_congestion_control";

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
