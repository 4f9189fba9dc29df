//! Networks of the suite's own: links that can be pulled, and a hosts file that can be changed.

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::atomic::{AtomicU8, Ordering},
    thread,
};

use anyhow::{Context as _, Result, ensure};
use kit::network::{Inside, Namespace, run};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Enters the namespaces of the suite and returns true. Where there can be none, prints that and
/// returns false.
pub(crate) fn enter() -> Result<bool> {
    let entered = NAMESPACES.enter()?;
    if !entered {
        println!(
            "no namespaces here (`unshare`, `ip` and `tc` as root are needed): cases that need \
             them are skipped"
        );
    }
    Ok(entered)
}

/// A machine at the other end of a link. It goes with its value.
pub(crate) struct Far {
    number: u8,
    namespace: Namespace,
}

impl Far {
    /// Makes one, and a link to it.
    pub(crate) fn new() -> Result<Self> {
        static NEXT: AtomicU8 = AtomicU8::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("far{number}");
        let namespace = Namespace::new(&name)?;
        for line in [
            format!("ip link add near{number} type veth peer name far netns {name}"),
            format!("ip addr add 10.79.{number}.1/24 dev near{number}"),
            format!("ip link set near{number} up"),
        ] {
            run(&line)?;
        }
        namespace.set_address("far", &format!("10.79.{number}.2"))?;
        Ok(Self { number, namespace })
    }

    /// This end's address.
    pub(crate) fn near_ip(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 79, self.number, 1)
    }

    /// Listens over there, on a free port.
    pub(crate) fn listen(&self) -> Result<TcpListener> {
        let addr = (Ipv4Addr::new(10, 79, self.number, 2), 0);
        self.over_there(move || TcpListener::bind(addr))
    }

    /// Connects from over there.
    pub(crate) fn connect(&self, addr: SocketAddr) -> Result<TcpStream> {
        self.over_there(move || TcpStream::connect(addr))
    }

    /// Pulls the cable out over there.
    pub(crate) fn pull(&self) -> Result<()> {
        self.namespace.ip("link set far down").map(drop)
    }

    /// Plugs it in again.
    pub(crate) fn plug(&self) -> Result<()> {
        self.namespace.ip("link set far up").map(drop)
    }

    /// Lets this many kbit/s through from there.
    pub(crate) fn narrow(&self, kbit: u32) -> Result<()> {
        let tbf = format!("tbf rate {kbit}kbit burst 32kb limit 32kb");
        let add = format!("qdisc add dev far root {tbf}");
        self.namespace.tc(&add).map(drop)
    }

    /// A socket stays in the namespace in which its thread was when it was made.
    fn over_there<T: Send + 'static>(
        &self,
        make: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let path = format!("/run/netns/{}", self.namespace.name());
        let there = move || {
            let namespace = fs::File::open(path)?;
            let kind = Some(LinkNameSpaceType::Network);
            move_into_link_name_space(rustix::fd::AsFd::as_fd(&namespace), kind)?;
            make()
        };
        let made = thread::spawn(there).join();
        made.map_err(|_| io::Error::other("the thread panicked"))
            .and_then(|made| made)
            .context("a socket in another namespace")
    }
}

/// Makes a name mean an address, for this suite and what it starts.
pub(crate) fn name_host(name: &str, ip: Ipv4Addr) -> Result<()> {
    ensure!(
        NAMESPACES.is_inside(),
        "the machine's own hosts file is not touched"
    );
    fs::write(HOSTS, format!("127.0.0.1 localhost\n{ip} {name}\n")).context("the hosts file")
}

/// A file of the suite's own: see [`NAMESPACES`].
const HOSTS: &str = "/etc/hosts";
const NAMESPACES: Inside = Inside {
    variable: "MJPEG_FAULTS_INSIDE",
    unshare: &["--mount"],
    set_up: &[
        "ip link set lo up",
        // `ip netns` keeps its names there, which other programs must not see.
        "mount -t tmpfs none /run",
        "cp /etc/hosts /run/hosts",
        "mount --bind /run/hosts /etc/hosts",
        "mkdir -p /run/netns",
    ],
};
