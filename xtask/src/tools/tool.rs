//! A tool, and how to check that it is installed.

use xshell::Shell;

use crate::debian::{on_path, output};

/// The toolchain whose rustdoc JSON `cargo public-api` reads. It is pinned to a day because the
/// format of that JSON, and with it the text of the snapshots, changes between nightlies.
pub(super) const NIGHTLY: &str = "nightly-2026-05-20";
/// The date in that toolchain's `rustc --version`: the last commit's, a day before the release.
const NIGHTLY_RUSTC_DATE: &str = "2026-05-19";

pub(super) enum Tool {
    /// A command from a Debian package.
    Debian {
        command: &'static str,
        package: &'static str,
    },
    /// An element of GStreamer from a Debian package.
    GStreamer {
        element: &'static str,
        package: &'static str,
    },
    /// A module of Python from a Debian package.
    Python {
        module: &'static str,
        package: &'static str,
    },
    /// A component of the current toolchain, which a minimal toolchain lacks.
    Component {
        command: &'static str,
        component: &'static str,
    },
    /// A cargo subcommand. It is installed in the pinned version unless `accepted` accepts the
    /// installed one.
    Cargo {
        subcommand: &'static str,
        krate: &'static str,
        pinned: Version,
        accepted: Accepted,
    },
    Nightly,
}

pub(super) type Version = (u32, u32, u32);

#[derive(Clone, Copy)]
pub(super) enum Accepted {
    /// Only the pinned version, because others may decide or print differently.
    ExactlyPinned,
    /// This version or any newer one.
    From(Version),
}

pub(super) const fn debian(command: &'static str, package: &'static str) -> Tool {
    Tool::Debian { command, package }
}

pub(super) const fn gstreamer(element: &'static str, package: &'static str) -> Tool {
    Tool::GStreamer { element, package }
}

pub(super) const fn python(module: &'static str, package: &'static str) -> Tool {
    Tool::Python { module, package }
}

pub(super) const fn component(command: &'static str, component: &'static str) -> Tool {
    Tool::Component { command, component }
}

pub(super) const fn cargo(
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

/// The argument for cargo calls that need nightly (`+nightly…`): the pinned toolchain by name, or
/// `nightly` if it is the same. `None` if neither is installed.
pub(crate) fn nightly(sh: &Shell) -> Option<String> {
    let candidates = [format!("+{NIGHTLY}"), "+nightly".to_owned()];
    candidates.into_iter().find(|toolchain| {
        output(sh, "rustc", &[toolchain, "--version"])
            .is_some_and(|line| rustc_date(&line) == Some(NIGHTLY_RUSTC_DATE))
    })
}

impl Tool {
    pub(super) fn present(&self, sh: &Shell) -> bool {
        match self {
            Self::Debian { command, .. } => on_path(command),
            Self::GStreamer { element, .. } => output(sh, "gst-inspect-1.0", &[element]).is_some(),
            Self::Python { module, .. } => {
                let import = format!("import {module}");
                output(sh, "python3", &["-c", &import]).is_some()
            }
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

    pub(super) fn package(&self) -> Option<&'static str> {
        match self {
            Self::Debian { package, .. }
            | Self::GStreamer { package, .. }
            | Self::Python { package, .. } => Some(package),
            _ => None,
        }
    }

    pub(super) fn describe(&self) -> String {
        match self {
            Self::Debian { command, package } => format!("{command} (Debian package {package})"),
            Self::GStreamer { element, package } => {
                format!("GStreamer's element {element} (Debian package {package})")
            }
            Self::Python { module, package } => {
                format!("Python's module {module} (Debian package {package})")
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

/// The first `X.Y.Z` in the output of `--version`.
fn version(text: &str) -> Option<Version> {
    text.split_whitespace().find_map(|word| {
        let mut parts = word.splitn(3, '.').map(|part| part.parse().ok());
        Some((parts.next()??, parts.next()??, parts.next()??))
    })
}

pub(super) fn dotted((major, minor, patch): Version) -> String {
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
