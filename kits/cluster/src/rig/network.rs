//! Machines as network namespaces around the kit's own, which is their router. The link between any
//! two of them can be cut by itself: the router then drops what goes from one to the other.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
};

use anyhow::{Context as _, Result};
use kit::network::{Inside, Namespace, run};
use serde_json::Value;

/// Enters the namespaces of the kit. If the system does not allow that, prints a line and returns
/// false.
pub(crate) fn enter() -> Result<bool> {
    let entered = NAMESPACES.enter()?;
    if entered {
        fs::write("/proc/sys/net/ipv4/ip_forward", "1").context("becoming a router")?;
    } else {
        println!("this system does not allow namespaces, or lacks `unshare`, `ip` or `tc`");
    }
    Ok(entered)
}

/// A machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Host {
    /// A relay, from 0.
    Node(u8),
    /// A member of the engine, from 0.
    Engine(u8),
    Camera,
}

impl Host {
    pub(crate) fn ip(self) -> Ipv4Addr {
        Ipv4Addr::new(10, 81, self.subnet(), 2)
    }

    /// The address of this port.
    pub(crate) fn at(self, port: u16) -> SocketAddr {
        (self.ip(), port).into()
    }

    fn subnet(self) -> u8 {
        match self {
            Self::Node(number) => 1 + number,
            Self::Engine(number) => 101 + number,
            Self::Camera => 201,
        }
    }

    /// The router's end of its cable.
    fn device(self) -> String {
        format!("net{}", self.subnet())
    }

    fn name(self) -> String {
        match self {
            Self::Node(number) => format!("relay{}", number + 1),
            Self::Engine(number) => format!("etcd{}", number + 1),
            Self::Camera => "camera".to_owned(),
        }
    }
}

/// The machines of a rig. Dropping it removes them.
pub(crate) struct Network {
    machines: Vec<(Host, Namespace)>,
    /// Cut links: the lesser host first.
    cut: Vec<(Host, Host)>,
}

impl Network {
    /// Makes these machines.
    pub(crate) fn new(hosts: impl IntoIterator<Item = Host>) -> Result<Self> {
        let mut network = Self {
            machines: Vec::new(),
            cut: Vec::new(),
        };
        for host in hosts {
            let namespace = Namespace::new(host.name())?;
            wire(host, &namespace)?;
            network.machines.push((host, namespace));
        }
        Ok(network)
    }

    /// The command prefix that runs a program on a machine.
    pub(crate) fn starter(&self, host: Host) -> [&str; 4] {
        self.machine(host).starter()
    }

    /// Listens on a machine, at port 0 on a free one.
    pub(crate) fn listen(&self, host: Host, port: u16) -> Result<TcpListener> {
        self.machine(host)
            .inside(move || TcpListener::bind(host.at(port)))
    }

    /// Cuts the link between two machines: what one sends, the other never gets.
    pub(crate) fn cut(&mut self, one: Host, other: Host) -> Result<()> {
        let link = (one.min(other), one.max(other));
        if !self.cut.contains(&link) {
            rule("add", link.0, link.1)?;
            rule("add", link.1, link.0)?;
            self.cut.push(link);
        }
        Ok(())
    }

    /// Mends all links.
    pub(crate) fn mend(&mut self) -> Result<()> {
        for (one, other) in std::mem::take(&mut self.cut) {
            rule("del", one, other)?;
            rule("del", other, one)?;
        }
        Ok(())
    }

    /// Lets this machine receive no more than this, with a short queue in front of the link.
    pub(crate) fn narrow(&self, host: Host, mbit: u32) -> Result<()> {
        for (_, machine) in &self.machines {
            // One segment per packet: a short queue cannot take what TCP hands to a network card.
            machine.ip("link set dev net gso_max_segs 1")?;
        }
        let device = host.device();
        let tbf = format!("tbf rate {mbit}mbit burst 32kb limit 32kb");
        run(&format!("tc qdisc add dev {device} root {tbf}")).map(drop)
    }

    /// How many bytes a machine has received: those that the router has sent it.
    pub(crate) fn received(&self, host: Host) -> Result<u64> {
        let text = run(&format!("ip -s -j link show dev {}", host.device()))?;
        let devices: Value = serde_json::from_str(&text)?;
        let bytes = devices.pointer("/0/stats64/tx/bytes");
        let bytes = bytes.and_then(Value::as_u64);
        bytes.with_context(|| format!("`ip -s -j link` has printed {text}"))
    }

    fn machine(&self, host: Host) -> &Namespace {
        let found = self.machines.iter().find(|(machine, _)| *machine == host);
        let (_, namespace) = found.expect("cases name only machines of their rig");
        namespace
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // If it fails, the links vanish with the kit's namespace.
        let _ = self.mend();
        for (host, _) in &self.machines {
            // The system removes a namespace a while after its name, and the next rig has the same
            // cables.
            let _ = run(&format!("ip link delete {}", host.device()));
        }
    }
}

/// Makes the cable between the router and a machine.
fn wire(host: Host, namespace: &Namespace) -> Result<()> {
    let (device, ip, name) = (host.device(), host.ip(), namespace.name());
    let router = Ipv4Addr::from(u32::from(ip) - 1);
    run(&format!(
        "ip link add {device} type veth peer name net netns {name}"
    ))?;
    run(&format!("ip addr add {router}/24 dev {device}"))?;
    run(&format!("ip link set {device} up"))?;
    namespace.ip("link set lo up")?;
    namespace.set_address("net", &ip.to_string())?;
    namespace.ip(&format!("route add default via {router}"))?;
    Ok(())
}

fn rule(verb: &str, from: Host, to: Host) -> Result<()> {
    let (from, to) = (from.ip(), to.ip());
    run(&format!("ip rule {verb} from {from} to {to} blackhole")).map(drop)
}

/// Which node this address is.
pub(crate) fn node_at(ip: IpAddr) -> Option<usize> {
    (0..u8::MAX / 3)
        .find(|&number| IpAddr::V4(Host::Node(number).ip()) == ip)
        .map(usize::from)
}

const NAMESPACES: Inside = Inside {
    variable: "MJPEG_CLUSTER_INSIDE",
    unshare: &["--mount"],
    set_up: &[
        "ip link set lo up",
        // `ip netns` registers names there, which programs outside must not see.
        "mount -t tmpfs none /run",
        "mkdir -p /run/netns /run/etcd",
    ],
};
