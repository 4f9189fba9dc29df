//! A network of the kit's own, whose address is not loopback.
//!
//! Browsers trust loopback and send headers there that plain HTTP does not get elsewhere (`Sec-Fetch-Dest`), and the layout is chosen
//! by headers. The kit starts itself again in namespaces for network and processes: nothing reaches it or is reached from there, and all of it,
//! interfaces and browsers too, vanishes with the kit, however that ends.

use std::{
    env,
    net::{IpAddr, Ipv4Addr},
    os::unix::process::CommandExt as _,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

/// Gives the address to serve on. Returns only in the namespaces, or where there can be none: then it says so and gives loopback.
pub(crate) fn enter() -> Result<IpAddr> {
    if env::var_os(INSIDE).is_some() {
        for line in SET_UP {
            run(line)?;
        }
        return Ok(ADDRESS.into());
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
        "no namespaces here (`unshare` and `ip` as root are needed): served on 127.0.0.1, which browsers treat otherwise than other hosts"
    );
    Ok(Ipv4Addr::LOCALHOST.into())
}

fn unshare(extra: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command.args(extra);
    command.args([
        "--net",
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

const INSIDE: &str = "MJPEG_ENGINES_INSIDE";
const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
const SET_UP: [&str; 5] = [
    // The browsers' drivers are on loopback.
    "ip link set lo up",
    "ip link add view0 type veth peer name view1",
    "ip addr add 10.77.0.1/24 dev view0",
    "ip link set view0 up",
    "ip link set view1 up",
];
