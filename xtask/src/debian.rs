//! Debian packages, and which programs are installed. The kits use this file too: `kits/kit`
//! includes it.

#![allow(unreachable_pub, reason = "public in `kits/kit`")]

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use xshell::{Shell, cmd};

/// Installs Debian packages, by sudo unless this is root.
pub fn install_packages(sh: &Shell, packages: &[&str]) -> Result<()> {
    if !on_path("apt-get") {
        bail!(
            "this is not Debian or a relative of it: install the programs ({}) in your system's own way",
            packages.join(", ")
        );
    }
    let root = output(sh, "id", &["-u"]).is_some_and(|id| id.trim() == "0");
    // sudo does not hand the environment on, hence `env` behind it.
    let (program, prefix): (&str, &[&str]) = match (root, on_path("sudo")) {
        (true, _) => ("env", &[]),
        (false, true) => ("sudo", &["env"]),
        (false, false) => bail!(
            "Debian packages need root and there is no sudo; as root: apt-get install {}",
            packages.join(" ")
        ),
    };
    let apt = ["DEBIAN_FRONTEND=noninteractive", "apt-get"];
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

/// What a command prints, or nothing if it is absent or fails.
pub fn output(sh: &Shell, program: &str, arguments: &[&str]) -> Option<String> {
    cmd!(sh, "{program} {arguments...}")
        .quiet()
        .ignore_stderr()
        .read()
        .ok()
}

/// Whether a program is there.
pub fn on_path(command: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| Path::new(&folder).join(command).is_file())
}
