//! What the checks need on the machine, and how to tell that it is there.

use anyhow::{Result, bail};
use xshell::Shell;

use crate::tools::tool::{Accepted, Tool, cargo, component, debian, gstreamer};

mod install;
pub(crate) mod tool;

/// Only what `ci` cannot do without. cargo-fuzz is not among it: its step says that it is skipped.
const TOOLS: &[Tool] = &[
    component("fmt", "rustfmt"),
    component("clippy", "clippy"),
    debian("ffmpeg", "ffmpeg"),
    debian("djpeg", "libjpeg-turbo-progs"),
    debian("node", "nodejs"),
    debian("python3", "python3"),
    debian("chromium", "chromium"),
    debian("chromedriver", "chromium-driver"),
    // By its path: `/usr/sbin` is not on everybody's PATH.
    debian("/usr/sbin/lighttpd", "lighttpd"),
    debian("gst-launch-1.0", "gstreamer1.0-tools"),
    gstreamer("tcpserversink", "gstreamer1.0-plugins-base"),
    gstreamer("jpegenc", "gstreamer1.0-plugins-good"),
    debian("faketime", "faketime"),
    cargo(
        "nextest",
        "cargo-nextest",
        (0, 9, 151),
        Accepted::From((0, 9, 100)),
    ),
    cargo("deny", "cargo-deny", (0, 20, 2), Accepted::ExactlyPinned),
    cargo(
        "public-api",
        "cargo-public-api",
        (0, 52, 0),
        Accepted::ExactlyPinned,
    ),
    Tool::Nightly,
];

/// Makes sure that every tool is there; with `install`, by fetching what is not.
pub(crate) fn ensure(sh: &Shell, install: bool) -> Result<()> {
    let missing = missing(sh);
    if missing.is_empty() {
        return Ok(());
    }
    for tool in &missing {
        println!("missing: {}", tool.describe());
    }
    if !install {
        bail!(
            "{} tool(s) missing, listed above; install them with `cargo xtask ci --install`",
            missing.len()
        );
    }
    install::all(sh, &missing)?;
    // What is installed but not found (a PATH without cargo's folder) is told before any check.
    if let Some(tool) = self::missing(sh).first() {
        bail!(
            "{} was installed but is not found; is cargo's `bin` folder on the PATH, before others?",
            tool.describe()
        );
    }
    Ok(())
}

fn missing(sh: &Shell) -> Vec<&'static Tool> {
    TOOLS.iter().filter(|tool| !tool.present(sh)).collect()
}
