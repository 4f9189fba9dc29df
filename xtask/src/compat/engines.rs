//! Browser engines. The kit is a program of its own (`engines/`), so that what it needs (a runtime, HTTP, WebDriver) is not compiled before
//! every other task.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use xshell::cmd;

use crate::flags::Engines;
use crate::tools::{install_packages, on_path};
use crate::util::Workspace;

pub(crate) fn run(workspace: &Workspace, flags: &Engines) -> Result<()> {
    if flags.install {
        install(workspace)?;
    }
    let mut args: Vec<PathBuf> = Vec::new();
    let mut add = |name: &str, value: Option<PathBuf>| {
        if let Some(value) = value {
            args.extend([name.into(), value]);
        }
    };
    add(
        "--minutes",
        flags.minutes.map(|minutes| minutes.to_string().into()),
    );
    add("--query", flags.query.as_ref().map(Into::into));
    // The kit is started in the workspace's root.
    add(
        "--record",
        flags.record.as_ref().map(std::path::absolute).transpose()?,
    );
    for engine in &flags.engine {
        add("--engine", Some(engine.into()));
    }
    if flags.short {
        args.push("--short".into());
    }
    measure(workspace, &args)
}

/// A step of `ci`: the short form, with the engines that are there.
pub(crate) fn short(workspace: &Workspace) -> Result<()> {
    measure(workspace, &["--short".into()])
}

/// Builds the relay and the kit, and runs it.
fn measure(workspace: &Workspace, args: &[PathBuf]) -> Result<()> {
    let sh = &workspace.sh;
    cmd!(
        sh,
        "cargo build --locked --quiet -p mjpeg-server -p engines"
    )
    .run()?;
    let server = workspace.target("debug/mjpeg-server");
    let engines = workspace.target("debug/engines");
    cmd!(sh, "{engines} {server} {args...}")
        .quiet()
        .run()
        .context("something does not hold, or could not be measured; it is told above")
}

fn install(workspace: &Workspace) -> Result<()> {
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
    let sh = &workspace.sh;
    if !packages.is_empty() {
        install_packages(sh, &packages)?;
    }
    if on_path("geckodriver") {
        return Ok(());
    }
    // Unoptimised, it only hands on; and its own build, neither into our build directory nor by our flags.
    cmd!(sh, "cargo install --locked --debug geckodriver")
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("RUSTFLAGS")
        .run()?;
    if !on_path("geckodriver") {
        bail!("geckodriver was installed but is not found; is cargo's `bin` folder on the PATH?");
    }
    Ok(())
}
