//! Installs Debian packages, and finds installed programs. `kits/kit` includes this file.

#![allow(unreachable_pub, reason = "public in `kits/kit`")]

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use xshell::{Shell, cmd};

/// Installs Debian packages, with sudo unless the user is root.
pub fn install_packages(sh: &Shell, packages: &[&str]) -> Result<()> {
    if !on_path("apt-get") {
        bail!(
            "this system has no apt-get; install these packages or their equivalents: {}",
            packages.join(", ")
        );
    }
    let root = output(sh, "id", &["-u"]).is_some_and(|id| id.trim() == "0");
    // sudo does not pass the environment on, so `env` sets it after sudo.
    let (program, prefix): (&str, &[&str]) = match (root, on_path("sudo")) {
        (true, _) => ("env", &[]),
        (false, true) => ("sudo", &["env"]),
        (false, false) => bail!(
            "installing Debian packages needs root, and there is no sudo; as root, run: apt-get install {}",
            packages.join(" ")
        ),
    };
    // Offline, `systemctl start` does nothing: no web server takes port 80 on this machine now.
    let apt = [
        "DEBIAN_FRONTEND=noninteractive",
        "SYSTEMD_OFFLINE=1",
        "apt-get",
    ];
    cmd!(sh, "{program} {prefix...} {apt...} update")
        .run()
        .context("apt-get update")?;
    let flags = ["--yes", "--no-install-recommends"];
    cmd!(
        sh,
        "{program} {prefix...} {apt...} install {flags...} {packages...}"
    )
    .run()
    .context("apt-get install")
}

/// The output of a command. `None` if it is not installed or fails.
pub fn output(sh: &Shell, program: &str, arguments: &[&str]) -> Option<String> {
    cmd!(sh, "{program} {arguments...}")
        .quiet()
        .ignore_stderr()
        .read()
        .ok()
}

/// Whether a program is on the PATH.
pub fn on_path(command: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| Path::new(&folder).join(command).is_file())
}
