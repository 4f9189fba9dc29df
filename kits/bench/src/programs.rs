//! Camera, server and viewers as processes: one run from start to end.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use kit::child::{Child, with_open_files};
use kit::relay;
use kit::workspace::Workspace;
use xshell::cmd;

use crate::cases::{Case, Sides};
use crate::run::Run;

/// Where the built programs lie.
pub(crate) struct Programs {
    folder: PathBuf,
}

/// A server to be measured.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    kind: Kind,
    /// What each viewer asks it for first, on the connection of its stream.
    first: Option<&'static str>,
}

enum Kind {
    /// The relay, with more arguments.
    Relay(Vec<String>),
    /// The reference, perhaps started by another program.
    Ceiling(Vec<String>),
}

impl Server {
    pub(crate) fn ours(extra: &[&str]) -> Self {
        let extra = extra.iter().map(|&argument| argument.to_owned()).collect();
        Self {
            name: "ours",
            kind: Kind::Relay(extra),
            first: None,
        }
    }

    pub(crate) fn called(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// With viewers that ask for this first, on the connection of their stream.
    pub(crate) fn asked_first(self, path: &'static str) -> Self {
        let first = Some(path);
        Self { first, ..self }
    }

    pub(crate) fn ceiling() -> Self {
        Self::ceiling_by(&[])
    }

    /// The reference, started by a tracer.
    pub(crate) fn ceiling_by(starter: &[&str]) -> Self {
        let starter = starter.iter().map(|&word| word.to_owned()).collect();
        Self {
            name: "ceiling",
            kind: Kind::Ceiling(starter),
            first: None,
        }
    }
}

impl Programs {
    /// Builds them. The relay is built in a call of its own, so that it has its own features and no
    /// more.
    pub(crate) fn build(workspace: &Workspace) -> Result<Self> {
        workspace.release_build()?;
        let sh = &workspace.sh;
        cmd!(sh, "cargo build --release --locked -p benches --bins").run()?;
        Ok(Self {
            folder: workspace.target("release"),
        })
    }

    /// Where a program lies.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Whether `mjpeg-server run` has this option.
    pub(crate) fn server_knows(&self, option: &str) -> Result<bool> {
        let help = Command::new(self.at("mjpeg-server"))
            .args(["run", "--help"])
            .output()
            .context("asking mjpeg-server for its help")?;
        Ok(String::from_utf8_lossy(&help.stdout).contains(option))
    }

    pub(crate) fn run(&self, case: &Case, server: &Server, seconds: u64) -> Result<Run> {
        let (server_core, other_core) = match case.sides {
            Sides::Reference | Sides::Requests => (Some(SERVER_CORE), Some(OTHER_CORE)),
            Sides::Threads => (None, None),
        };
        let Case { bytes, fps, .. } = case;
        let mut camera = command(&pinned(other_core), self.at("fanout_camera"));
        camera.args(["--bytes", &bytes.to_string(), "--fps", &fps.to_string()]);
        let mut camera = Child::start(&mut camera, "the camera")?;
        let at = camera.line_blocking()?;
        let mut process = self.server(case, server, server_core, &at)?;
        let to = relay::address(&process.line_blocking()?)?;
        // Wait until the first frames have come and the cost of the start is over.
        thread::sleep(SETTLE);

        let mut load = self.viewers(&pinned(other_core), to, case.viewers, *bytes, seconds);
        load.args(["--watch", &process.id().to_string()]);
        if let Some(path) = server.first {
            load.args(["--first", path]);
        }
        let report = Child::start(&mut load, "the viewers")?.rest()?;
        // The reference ends with its camera, and so does its tracer.
        match server.kind {
            Kind::Relay(_) => drop(process),
            Kind::Ceiling(_) => {
                drop(camera);
                process.rest()?;
            }
        }
        Run::read(&report).with_context(|| server.name)
    }

    /// The command of viewers that watch for this many seconds, started by `starter`.
    pub(crate) fn viewers(
        &self,
        starter: &[&str],
        to: SocketAddr,
        viewers: u64,
        bytes: u64,
        seconds: u64,
    ) -> Command {
        let mut load = command(starter, self.at("fanout_load"));
        load.args(["--to", &to.to_string()])
            .args(["--viewers", &viewers.to_string()])
            .args(["--bytes", &bytes.to_string()])
            .args(["--seconds", &seconds.to_string()]);
        load
    }

    fn server(
        &self,
        case: &Case,
        server: &Server,
        core: Option<&str>,
        camera: &str,
    ) -> Result<Child> {
        let mut command = match &server.kind {
            Kind::Relay(extra) => {
                let mut relay = command(&pinned(core), self.at("mjpeg-server"));
                relay
                    .args(["--log", "warn", "run", "--stream"])
                    .arg(relay::stream("load", camera.parse()?, "127.0.0.1"))
                    .args(extra);
                relay
            }
            Kind::Ceiling(starter) => {
                let starter = starter.iter().map(String::as_str);
                let starter: Vec<&str> = pinned(core).into_iter().chain(starter).collect();
                let mut ceiling = command(&starter, self.at("fanout_ceiling"));
                ceiling.args(["--camera", camera, "--bytes", &case.bytes.to_string()]);
                ceiling
            }
        };
        Child::start(&mut command, server.name)
    }
}

/// A command started by others (`taskset`, `ip netns exec`), with as many open files as the system
/// allows.
pub(crate) fn command(starter: &[&str], program: PathBuf) -> Command {
    let mut command = with_open_files("\"$(ulimit -H -n)\"");
    command.args(starter).arg(program).stdout(Stdio::piped());
    command
}

fn pinned(core: Option<&str>) -> Vec<&str> {
    core.map_or(Vec::new(), |core| vec!["taskset", "-c", core])
}

const SERVER_CORE: &str = "0";
const OTHER_CORE: &str = "1";
const SETTLE: Duration = Duration::from_secs(1);
