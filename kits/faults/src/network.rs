//! Network links that can be interrupted, and a hosts file that can be changed.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::atomic::{AtomicU8, Ordering},
};

use anyhow::{Context as _, Result, ensure};
use kit::network::{Inside, Namespace, run};

/// Enters the namespaces of the suite. If the system does not allow that, prints a line and returns
/// false.
pub(crate) fn enter() -> Result<bool> {
    let entered = NAMESPACES.enter()?;
    if !entered {
        println!(
            "cases that need namespaces are skipped: this system does not allow them, or lacks \
             `unshare`, `ip` or `tc`"
        );
    }
    Ok(entered)
}

/// A simulated machine at the far end of a link. Dropping it removes both.
pub(crate) struct RemoteHost {
    number: u8,
    namespace: Namespace,
}

impl RemoteHost {
    /// Creates the machine and a link to it.
    pub(crate) fn new() -> Result<Self> {
        static NEXT: AtomicU8 = AtomicU8::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("remote{number}");
        let namespace = Namespace::new(&name)?;
        for line in [
            format!("ip link add local{number} type veth peer name remote netns {name}"),
            format!("ip addr add 10.79.{number}.1/24 dev local{number}"),
            format!("ip link set local{number} up"),
        ] {
            run(&line)?;
        }
        namespace.set_address("remote", &format!("10.79.{number}.2"))?;
        Ok(Self { number, namespace })
    }

    /// The address of the near end of the link.
    pub(crate) fn local_ip(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 79, self.number, 1)
    }

    /// Listens on a free port of the machine.
    pub(crate) fn listen(&self) -> Result<TcpListener> {
        let addr = (Ipv4Addr::new(10, 79, self.number, 2), 0);
        self.namespace.inside(move || TcpListener::bind(addr))
    }

    /// Connects from the machine.
    pub(crate) fn connect(&self, addr: SocketAddr) -> Result<TcpStream> {
        self.namespace.inside(move || TcpStream::connect(addr))
    }

    /// Interrupts the link, as if its cable were pulled out.
    pub(crate) fn pull(&self) -> Result<()> {
        self.namespace.ip("link set remote down").map(drop)
    }

    /// Restores the link.
    pub(crate) fn plug(&self) -> Result<()> {
        self.namespace.ip("link set remote up").map(drop)
    }

    /// Limits the rate from the machine to the relay, in kbit/s.
    pub(crate) fn narrow(&self, kbit: u32) -> Result<()> {
        let tbf = format!("tbf rate {kbit}kbit burst 32kb limit 32kb");
        let add = format!("qdisc add dev remote root {tbf}");
        self.namespace.tc(&add).map(drop)
    }

    /// Limits the rate from the relay to the machine, in kbit/s.
    pub(crate) fn narrow_from_relay(&self, kbit: u32) -> Result<()> {
        let device = format!("local{}", self.number);
        // One segment per packet: the bucket takes no larger ones.
        run(&format!("ip link set dev {device} gso_max_segs 1"))?;
        let tbf = format!("tbf rate {kbit}kbit burst 4kb limit 64kb");
        run(&format!("tc qdisc add dev {device} root {tbf}")).map(drop)
    }
}

/// Sets the address of a host name, for the suite and the relays that it starts.
pub(crate) fn name_host(name: &str, ip: Ipv4Addr) -> Result<()> {
    ensure!(
        NAMESPACES.is_inside(),
        "outside its namespaces, the suite does not change the hosts file"
    );
    fs::write(HOSTS, format!("127.0.0.1 localhost\n{ip} {name}\n"))
        .context("changing the hosts file")
}

/// In [`NAMESPACES`], a copy that belongs to the suite.
const HOSTS: &str = "/etc/hosts";
const NAMESPACES: Inside = Inside {
    variable: "MJPEG_FAULTS_INSIDE",
    unshare: &["--mount"],
    set_up: &[
        "ip link set lo up",
        // `ip netns` registers names there, which programs outside must not see.
        "mount -t tmpfs none /run",
        "cp /etc/hosts /run/hosts",
        "mount --bind /run/hosts /etc/hosts",
        "mkdir -p /run/netns",
    ],
};
