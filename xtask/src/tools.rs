//! What the checks need on the machine, how to tell that it is there, and how to get it.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use xshell::{Shell, cmd};

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
    Tool::Component {
        command: "fmt",
        component: "rustfmt",
    },
    Tool::Component {
        command: "clippy",
        component: "clippy",
    },
    Tool::Debian {
        command: "ffmpeg",
        package: "ffmpeg",
    },
    Tool::Debian {
        command: "djpeg",
        package: "libjpeg-turbo-progs",
    },
    Tool::Debian {
        command: "chromium",
        package: "chromium",
    },
    Tool::Debian {
        command: "chromedriver",
        package: "chromium-driver",
    },
    Tool::Cargo {
        subcommand: "nextest",
        krate: "cargo-nextest",
        pinned: (0, 9, 151),
        accepted: Accepted::From((0, 9, 100)),
    },
    Tool::Cargo {
        subcommand: "deny",
        krate: "cargo-deny",
        pinned: (0, 20, 2),
        accepted: Accepted::ExactlyPinned,
    },
    Tool::Cargo {
        subcommand: "public-api",
        krate: "cargo-public-api",
        pinned: (0, 52, 0),
        accepted: Accepted::ExactlyPinned,
    },
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
    let packages: Vec<&str> = missing.iter().filter_map(|tool| tool.package()).collect();
    if !packages.is_empty() {
        timed("Debian packages", || install_packages(sh, &packages))?;
    }
    for tool in &missing {
        if tool.package().is_none() {
            timed(&tool.describe(), || tool.install(sh))?;
        }
    }
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
            Self::Debian { package, .. } => Some(package),
            _ => None,
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Debian { command, package } => format!("{command} (Debian package {package})"),
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

    fn install(&self, sh: &Shell) -> Result<()> {
        match self {
            Self::Debian { package, .. } => install_packages(sh, &[package]),
            Self::Component { component, .. } => cmd!(sh, "rustup component add {component}")
                .run()
                .with_context(|| {
                    format!("install the component {component} of your Rust toolchain")
                }),
            Self::Cargo { krate, pinned, .. } => {
                let spec = format!("{krate}@{}", dotted(*pinned));
                // Unoptimised: a tool that runs for seconds is not worth minutes of optimiser.
                // `--force`: an unfit version may be in the way.
                cmd!(sh, "cargo install --locked --debug --force {spec}")
                    // The tool's own build: neither into our build directory nor by our flags.
                    .env_remove("CARGO_TARGET_DIR")
                    .env_remove("RUSTFLAGS")
                    .run()
                    .with_context(|| format!("installing {spec}"))
            }
            Self::Nightly => cmd!(
                sh,
                "rustup toolchain install {NIGHTLY} --profile minimal --no-self-update"
            )
            .run()
            .with_context(|| {
                format!(
                    "`cargo public-api` needs the toolchain {NIGHTLY}; without rustup or without \
                             access to static.rust-lang.org it has to be installed by hand"
                )
            }),
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

fn install_packages(sh: &Shell, packages: &[&str]) -> Result<()> {
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

fn timed(what: &str, install: impl FnOnce() -> Result<()>) -> Result<()> {
    println!("== install {what}");
    let start = Instant::now();
    install()?;
    println!("   {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// What a command prints, or nothing if it is absent or fails.
pub(crate) fn output(sh: &Shell, program: &str, arguments: &[&str]) -> Option<String> {
    cmd!(sh, "{program} {arguments...}")
        .quiet()
        .ignore_stderr()
        .read()
        .ok()
}

fn on_path(command: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| Path::new(&folder).join(command).is_file())
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
