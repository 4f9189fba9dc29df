//! Networks of the suite's own: links that can be pulled, and a hosts file that can be changed.
//!
//! The suite starts itself again in namespaces for network, processes and mounts: nothing reaches it or is reached from there, and all of it vanishes
//! with the suite, however that ends.

use std::{
    env, fs, io,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::unix::process::CommandExt as _,
    process::{Command, Stdio},
    sync::atomic::{AtomicU8, Ordering},
    thread,
};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Returns only in the namespaces, or where there can be none: then it says so, and gives false.
pub(crate) fn enter() -> Result<bool> {
    if env::var_os(INSIDE).is_some() {
        for line in SET_UP {
            run(line)?;
        }
        return Ok(true);
    }
    for extra in [&[][..], &["--map-root-user"]] {
        let mut probe = unshare(extra);
        probe.args(["ip", "link", "show"]);
        probe.stdout(Stdio::null()).stderr(Stdio::null());
        if probe.status().is_ok_and(|status| status.success()) {
            let mut again = unshare(extra);
            again.arg(env::current_exe()?).args(env::args_os().skip(1));
            return Err(again.env(INSIDE, "1").exec()).context("starting again in namespaces");
        }
    }
    println!(
        "no namespaces here (`unshare`, `ip` and `tc` as root are needed): cases that need them are skipped"
    );
    Ok(false)
}

/// A machine at the other end of a link. It goes with its value.
pub(crate) struct Far {
    number: u8,
}

impl Far {
    /// Makes one, and a link to it.
    pub(crate) fn new() -> Result<Self> {
        static NEXT: AtomicU8 = AtomicU8::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        run(&format!("ip netns add far{number}"))?;
        let far = Self { number };
        for line in [
            "ip link add nearN type veth peer name far netns farN",
            "ip addr add 10.79.N.1/24 dev nearN",
            "ip link set nearN up",
            "ip -n farN addr add 10.79.N.2/24 dev far",
            "ip -n farN link set far up",
        ] {
            far.run(line)?;
        }
        Ok(far)
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
        self.run("ip -n farN link set far down")
    }

    /// Plugs it in again.
    pub(crate) fn plug(&self) -> Result<()> {
        self.run("ip -n farN link set far up")
    }

    /// Lets this many kbit/s through from there.
    pub(crate) fn narrow(&self, kbit: u32) -> Result<()> {
        self.run(&format!(
            "tc -n farN qdisc add dev far root tbf rate {kbit}kbit burst 32kb limit 32kb"
        ))
    }

    /// A socket stays in the namespace in which its thread was when it was made.
    fn over_there<T: Send + 'static>(
        &self,
        make: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let path = format!("{NAMESPACES}/far{}", self.number);
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

    fn run(&self, line: &str) -> Result<()> {
        run(&line.replace('N', &self.number.to_string()))
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        // The link goes with it. One that stays goes with the suite.
        let _ = self.run("ip netns delete farN");
    }
}

/// Makes a name mean an address, for this suite and what it starts.
pub(crate) fn name_host(name: &str, ip: Ipv4Addr) -> Result<()> {
    ensure!(
        env::var_os(INSIDE).is_some(),
        "the machine's own hosts file is not touched"
    );
    fs::write(HOSTS, format!("127.0.0.1 localhost\n{ip} {name}\n")).context("the hosts file")
}

fn unshare(extra: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command.args(extra);
    command.args([
        "--net",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "--",
    ]);
    command
}

fn run(line: &str) -> Result<()> {
    let mut words = line.split(' ');
    let program = words.next().context("a program")?;
    let status = Command::new(program).args(words).status();
    if !status
        .with_context(|| format!("running `{line}`"))?
        .success()
    {
        bail!("`{line}` failed");
    }
    Ok(())
}

const INSIDE: &str = "MJPEG_FAULTS_INSIDE";
const NAMESPACES: &str = "/run/netns";
/// A file of its own by now, see [`SET_UP`].
const HOSTS: &str = "/etc/hosts";
const SET_UP: [&str; 5] = [
    "ip link set lo up",
    // `ip netns` keeps its names there, which others are not to see.
    "mount -t tmpfs none /run",
    "cp /etc/hosts /run/hosts",
    "mount --bind /run/hosts /etc/hosts",
    "mkdir -p /run/netns",
];
