//! Builds and starts the programs of `kits/`, which measure and test the relay.
//!
//! They are separate programs so that xtask runs when none of our crates compiles. A kit parses the
//! same command line as xtask, by the same file `flags.rs`, so xtask passes it on unchanged.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use xshell::cmd;

use crate::flags::{CompatCmd, XtaskCmd};
use crate::util::Workspace;

/// A corpus next to the workspace, on machines that have one. It is not part of the project because
/// it is large, and not all of it may be copied.
const CORPUS: &str = "../shared/corpus";

/// A program of `kits/`, and how to build it.
#[derive(Clone, Copy)]
struct Kit {
    package: &'static str,
    /// Whether the relay is built too, by the same profile.
    relay: bool,
    release: bool,
    /// Features of the relay besides its default ones.
    features: &'static [&'static str],
}

/// Starts the kit of this command with xtask's arguments, and returns its exit code. The kit itself
/// prints its errors.
pub(crate) fn hand_on(workspace: &Workspace, command: &XtaskCmd) -> Result<ExitCode> {
    let kit = match command {
        XtaskCmd::Bench(_) => Kit::alone("bench"),
        XtaskCmd::Corpus(_) | XtaskCmd::Frames(_) => Kit::alone("corpus"),
        XtaskCmd::Compat(compat) => match compat.subcommand {
            CompatCmd::Programs(_) => Kit::alone("compat"),
            CompatCmd::Engines(_) | CompatCmd::Orientation(_) => Kit::with_relay("engines"),
            CompatCmd::Wall(_) => Kit {
                release: true,
                ..Kit::with_relay("engines")
            },
        },
        XtaskCmd::Faults(faults) => Kit {
            // The short form uses the build of the tests.
            release: !faults.short && !faults.list,
            ..Kit::with_relay("faults")
        },
        XtaskCmd::Cluster(cluster) => Kit {
            release: !cluster.short && !cluster.list,
            ..Kit::CLUSTER
        },
        XtaskCmd::Soak(_) => Kit {
            release: true,
            ..Kit::with_relay("faults")
        },
        XtaskCmd::Webcam(_) => Kit {
            release: true,
            ..Kit::with_relay("webcam")
        },
        _ => bail!("this command has no kit"),
    };
    let code = kit.run(workspace, std::env::args_os().skip(1))?;
    Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// The step `corpus` of `ci`. It is optional, because the crates' tests have their own streams.
pub(crate) fn corpus(workspace: &Workspace) -> Result<()> {
    let dir = workspace.root().join(CORPUS);
    if !dir.is_dir() {
        println!("   SKIPPED: there is no {CORPUS} next to the project");
        return Ok(());
    }
    Kit::alone("corpus").check(workspace, &["corpus".into(), dir.into()])
}

/// The step `engines` of `ci`: the short form, with the engines that are installed.
pub(crate) fn engines(workspace: &Workspace) -> Result<()> {
    let arguments = ["compat", "engines", "--short"].map(OsString::from);
    Kit::with_relay("engines").check(workspace, &arguments)
}

/// The step `faults` of `ci`: the short form.
pub(crate) fn faults(workspace: &Workspace) -> Result<()> {
    let arguments = ["faults", "--short"].map(OsString::from);
    Kit::with_relay("faults").check(workspace, &arguments)
}

/// The step `cluster` of `ci`: the short form.
pub(crate) fn cluster(workspace: &Workspace) -> Result<()> {
    let arguments = ["cluster", "--short"].map(OsString::from);
    Kit::CLUSTER.check(workspace, &arguments)
}

impl Kit {
    const CLUSTER: Self = Self {
        package: "cluster",
        relay: true,
        release: false,
        features: &["--features", "mjpeg-server/cluster"],
    };

    fn alone(package: &'static str) -> Self {
        Self {
            package,
            relay: false,
            release: false,
            features: &[],
        }
    }

    fn with_relay(package: &'static str) -> Self {
        Self {
            relay: true,
            ..Self::alone(package)
        }
    }

    fn check(self, workspace: &Workspace, arguments: &[OsString]) -> Result<()> {
        match self.run(workspace, arguments.iter().cloned())? {
            0 => Ok(()),
            code => bail!("the kit `{}` ended with exit code {code}", self.package),
        }
    }

    /// Builds the kit, and runs it in the user's folder, so that relative paths keep their meaning.
    fn run(self, workspace: &Workspace, arguments: impl Iterator<Item = OsString>) -> Result<i32> {
        let sh = &workspace.sh;
        let (package, features) = (self.package, self.features);
        let (profile, folder) = if self.release {
            (Some("--release"), "release")
        } else {
            (None, "debug")
        };
        let build = if self.relay {
            cmd!(
                sh,
                "cargo build --locked --quiet {profile...} {features...} -p mjpeg-server -p {package}"
            )
        } else {
            // Other programs read the kit's output, so nothing else may appear there.
            cmd!(sh, "cargo build --locked --quiet {profile...} -p {package}").quiet()
        };
        build.run()?;
        let program = workspace.target(&format!("{folder}/{package}"));
        let status = Command::new(&program)
            .args(arguments)
            .env("MJPEG_KIT_ROOT", workspace.root())
            .env("MJPEG_KIT_TARGET", workspace.target(""))
            .status()
            .with_context(|| format!("starting {}", program.display()))?;
        status
            .code()
            .with_context(|| format!("the kit `{package}` was ended by a signal"))
    }
}
