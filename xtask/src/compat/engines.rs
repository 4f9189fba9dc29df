//! Browser engines. The kit is a program of its own (`engines/`), so that what it needs (a runtime, HTTP, WebDriver) is not compiled before
//! every other task.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use xshell::cmd;

use crate::flags::Engines;
use crate::tools::{install_packages, on_path};
use crate::util::Workspace;

pub(crate) fn run(workspace: &Workspace, flags: &Engines) -> Result<()> {
    let sh = &workspace.sh;
    if flags.install {
        install(workspace)?;
    }
    cmd!(
        sh,
        "cargo build --locked --quiet -p mjpeg-server -p engines"
    )
    .run()?;
    let server = workspace.target("debug/mjpeg-server");
    let engines = workspace.target("debug/engines");
    let mut args: Vec<PathBuf> = vec![server];
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
    // The kit may run elsewhere than this task was called.
    let record = flags.record.as_ref().map(std::path::absolute).transpose()?;
    add("--record", record);
    for engine in &flags.engine {
        add("--engine", Some(engine.into()));
    }
    if flags.short {
        args.push("--short".into());
    }
    cmd!(sh, "{engines} {args...}")
        .quiet()
        .run()
        .context("not everything holds that must")
}

fn install(workspace: &Workspace) -> Result<()> {
    let missing = |programs: &[(&str, &'static str)]| -> Vec<&'static str> {
        let missing = programs.iter().filter(|(program, _)| !on_path(program));
        missing.map(|(_, package)| *package).collect()
    };
    let packages = missing(&[
        ("chromium", "chromium"),
        ("chromedriver", "chromium-driver"),
        ("firefox-esr", "firefox-esr"),
        ("WebKitWebDriver", "webkit2gtk-driver"),
        ("Xvfb", "xvfb"),
        ("unshare", "util-linux"),
        ("ip", "iproute2"),
    ]);
    let sh = &workspace.sh;
    if !packages.is_empty() {
        install_packages(sh, &packages)?;
    }
    if !on_path("geckodriver") {
        // Unoptimised: it only hands on what is asked of it.
        cmd!(sh, "cargo install --locked --debug geckodriver")
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("RUSTFLAGS")
            .run()?;
        if !on_path("geckodriver") {
            bail!(
                "geckodriver was installed but is not found; is cargo's `bin` folder on the PATH?"
            );
        }
    }
    Ok(())
}
