//! Installs missing engines.

use anyhow::{Result, bail};
use kit::{
    debian::{install_packages, on_path},
    workspace::Workspace,
};
use xshell::cmd;

pub(crate) fn run() -> Result<()> {
    let needed = [
        ("chromium", "chromium"),
        ("chromedriver", "chromium-driver"),
        ("firefox-esr", "firefox-esr"),
        ("WebKitWebDriver", "webkit2gtk-driver"),
        ("Xvfb", "xvfb"),
        ("unshare", "util-linux"),
        ("ip", "iproute2"),
    ];
    let missing = needed.iter().filter(|(program, _)| !on_path(program));
    let packages: Vec<&str> = missing.map(|(_, package)| *package).collect();
    let workspace = Workspace::from_env()?;
    let sh = &workspace.sh;
    if !packages.is_empty() {
        install_packages(sh, &packages)?;
    }
    if on_path("geckodriver") {
        return Ok(());
    }
    // Unoptimised, because it only passes commands on. It is a separate build: not in our build
    // directory, and without our flags.
    cmd!(sh, "cargo install --locked --debug geckodriver")
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("RUSTFLAGS")
        .run()?;
    if !on_path("geckodriver") {
        bail!("geckodriver was installed but not found; add cargo's `bin` folder to the PATH");
    }
    Ok(())
}
