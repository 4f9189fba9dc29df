//! What the checks need on the machine, and how to tell that it is there.

use anyhow::{Result, bail};
use xshell::Shell;

use crate::debian::{on_path, output};

mod install;

/// The toolchain that `cargo public-api` reads rustdoc's JSON from. Pinned to a day: that JSON
/// changes its format between nightlies, and the snapshots' wording follows it.
const NIGHTLY: &str = "nightly-2026-05-20";
/// What that toolchain's rustc gives as its own date: the last commit's, a day before the release.
const NIGHTLY_RUSTC_DATE: &str = "2026-05-19";

enum Tool {
    /// A command that a Debian package brings.
    Debian {
        command: &'static str,
        package: &'static str,
    },
    /// An element of GStreamer that a Debian package brings.
    GStreamer {
        element: &'static str,
        package: &'static str,
    },
    /// A component of the toolchain in use (a minimal one lacks it).
    Component {
        command: &'static str,
        component: &'static str,
    },
    /// A cargo subcommand, installed at the pinned version when `accepted` finds nothing fit.
    Cargo {
        subcommand: &'static str,
        krate: &'static str,
        pinned: Version,
        accepted: Accepted,
    },
    Nightly,
}

type Version = (u32, u32, u32);

#[derive(Clone, Copy)]
enum Accepted {
    /// Another version might decide or print otherwise.
    ExactlyPinned,
    /// Any from this one on does the same.
    From(Version),
}

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

const fn debian(command: &'static str, package: &'static str) -> Tool {
    Tool::Debian { command, package }
}

const fn gstreamer(element: &'static str, package: &'static str) -> Tool {
    Tool::GStreamer { element, package }
}

const fn component(command: &'static str, component: &'static str) -> Tool {
    Tool::Component { command, component }
}

const fn cargo(
    subcommand: &'static str,
    krate: &'static str,
    pinned: Version,
    accepted: Accepted,
) -> Tool {
    Tool::Cargo {
        subcommand,
        krate,
        pinned,
        accepted,
    }
}

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

/// The toolchain argument for cargo calls that need nightly (`+nightly…`), if there is one:
/// the pinned one by its name, or a plain `nightly` that happens to be the same.
pub(crate) fn nightly(sh: &Shell) -> Option<String> {
    let candidates = [format!("+{NIGHTLY}"), "+nightly".to_owned()];
    candidates.into_iter().find(|toolchain| {
        output(sh, "rustc", &[toolchain, "--version"])
            .is_some_and(|line| rustc_date(&line) == Some(NIGHTLY_RUSTC_DATE))
    })
}

fn missing(sh: &Shell) -> Vec<&'static Tool> {
    TOOLS.iter().filter(|tool| !tool.present(sh)).collect()
}

impl Tool {
    fn present(&self, sh: &Shell) -> bool {
        match self {
            Self::Debian { command, .. } => on_path(command),
            Self::GStreamer { element, .. } => output(sh, "gst-inspect-1.0", &[element]).is_some(),
            Self::Component { command, .. } => {
                output(sh, "cargo", &[command, "--version"]).is_some()
            }
            Self::Cargo {
                subcommand,
                pinned,
                accepted,
                ..
            } => output(sh, "cargo", &[subcommand, "--version"])
                .and_then(|text| version(&text))
                .is_some_and(|found| accepted.fits(found, *pinned)),
            Self::Nightly => nightly(sh).is_some(),
        }
    }

    fn package(&self) -> Option<&'static str> {
        match self {
            Self::Debian { package, .. } | Self::GStreamer { package, .. } => Some(package),
            _ => None,
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Debian { command, package } => format!("{command} (Debian package {package})"),
            Self::GStreamer { element, package } => {
                format!("GStreamer's element {element} (Debian package {package})")
            }
            Self::Component { component, .. } => format!("{component} (toolchain component)"),
            Self::Cargo {
                krate,
                pinned,
                accepted: Accepted::ExactlyPinned,
                ..
            } => {
                format!("{krate} {}", dotted(*pinned))
            }
            Self::Cargo {
                krate,
                accepted: Accepted::From(least),
                ..
            } => {
                format!("{krate} {} or newer", dotted(*least))
            }
            Self::Nightly => format!("Rust toolchain {NIGHTLY}"),
        }
    }
}

impl Accepted {
    fn fits(self, found: Version, pinned: Version) -> bool {
        match self {
            Self::ExactlyPinned => found == pinned,
            Self::From(least) => found >= least,
        }
    }
}

/// The first `X.Y.Z` among the words of what `--version` prints.
fn version(text: &str) -> Option<Version> {
    text.split_whitespace().find_map(|word| {
        let mut parts = word.splitn(3, '.').map(|part| part.parse().ok());
        Some((parts.next()??, parts.next()??, parts.next()??))
    })
}

fn dotted((major, minor, patch): Version) -> String {
    format!("{major}.{minor}.{patch}")
}

/// The date in `rustc 1.97.0-nightly (0123abcde 2026-05-19)`.
fn rustc_date(line: &str) -> Option<&str> {
    line.trim().strip_suffix(')')?.split(' ').next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_tools_print() {
        assert_eq!(version("cargo-deny 0.20.2\n"), Some((0, 20, 2)));
        assert_eq!(
            version("cargo-nextest 0.9.143 (60fa45f63 2026-08-04)\nrelease: 0.9.143"),
            Some((0, 9, 143))
        );
        assert_eq!(version("error: no such command: `deny`"), None);
    }

    #[test]
    fn a_pinned_tool_must_match_and_a_floor_is_a_floor() {
        let pinned = (0, 52, 0);
        assert!(Accepted::ExactlyPinned.fits((0, 52, 0), pinned));
        assert!(!Accepted::ExactlyPinned.fits((0, 52, 1), pinned));
        let floor = Accepted::From((0, 9, 100));
        assert!(floor.fits((0, 9, 100), pinned) && floor.fits((0, 10, 0), pinned));
        assert!(!floor.fits((0, 9, 99), pinned));
    }

    #[test]
    fn the_date_of_a_nightly_is_read() {
        let line = "rustc 1.97.0-nightly (e50aa6fba 2026-05-19)\n";
        assert_eq!(rustc_date(line), Some("2026-05-19"));
        assert_eq!(rustc_date("rustc 1.95.0"), None);
    }
}
