//! Camera, server and viewers as processes: one run from start to end.

use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::bench::cases::{Case, Sides};
use crate::bench::process::{Running, command};
use crate::bench::run::Run;
use crate::util::Workspace;

/// Where the built programs lie.
pub(crate) struct Programs {
    folder: PathBuf,
}

/// A server to be measured.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    kind: Kind,
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
        }
    }

    pub(crate) fn called(self, name: &'static str) -> Self {
        Self { name, ..self }
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
        }
    }
}

impl Programs {
    pub(crate) fn new(workspace: &Workspace) -> Self {
        Self {
            folder: workspace.target("release"),
        }
    }

    /// Where a program lies.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Does `mjpeg-server run` have this option?
    pub(crate) fn server_knows(&self, option: &str) -> Result<bool> {
        let help = Command::new(self.at("mjpeg-server"))
            .args(["run", "--help"])
            .output()
            .context("asking mjpeg-server for its help")?;
        Ok(String::from_utf8_lossy(&help.stdout).contains(option))
    }

    pub(crate) fn run(&self, case: &Case, server: &Server, seconds: u64) -> Result<Run> {
        let (server_core, other_core) = match case.sides {
            Sides::Reference => (Some(SERVER_CORE), Some(OTHER_CORE)),
            Sides::Threads => (None, None),
        };
        let Case { bytes, fps, .. } = case;
        let camera = command(&pinned(other_core), self.at("fanout_camera"))
            .args(["--bytes", &bytes.to_string(), "--fps", &fps.to_string()])
            .spawn();
        let mut camera = Running::new(camera, "the camera")?;
        let at = camera.first_line()?;
        let mut process = self.server(case, server, server_core, &at)?;
        let url = process.first_line()?;
        let to = url
            .strip_prefix("http://")
            .and_then(|rest| rest.strip_suffix('/'))
            .with_context(|| format!("{} printed {url:?}, which is no URL", server.name))?;
        // For the first frames to come, and what a start costs to be over.
        thread::sleep(SETTLE);

        let load = command(&pinned(other_core), self.at("fanout_load"))
            .args(["--to", to])
            .args(["--viewers", &case.viewers.to_string()])
            .args(["--bytes", &bytes.to_string()])
            .args(["--seconds", &seconds.to_string()])
            .args(["--watch", &process.id().to_string()])
            .spawn();
        let report = Running::new(load, "the viewers")?.rest()?;
        // The reference ends with its camera, and so does its tracer.
        match server.kind {
            Kind::Relay(_) => drop(process),
            Kind::Ceiling(_) => {
                drop(camera);
                process.rest()?;
            }
        }
        let run: Run = serde_json::from_str(&report)
            .with_context(|| format!("the viewers' report is not understood: {report}"))?;
        ensure!(
            run.bad == 0 && run.out_of_order == 0,
            "{}: {} of {} frames were not as the camera sent them ({} of them compared whole), {} out of order",
            server.name,
            run.bad,
            run.total,
            run.checked,
            run.out_of_order
        );
        Ok(run)
    }

    fn server(
        &self,
        case: &Case,
        server: &Server,
        core: Option<&str>,
        camera: &str,
    ) -> Result<Running> {
        let child = match &server.kind {
            Kind::Relay(extra) => command(&pinned(core), self.at("mjpeg-server"))
                .args(["--log", "warn", "run", "--stream"])
                .arg(format!("load=tcp://{camera}@127.0.0.1:0"))
                .args(extra)
                .spawn(),
            Kind::Ceiling(starter) => {
                let program = self.at("fanout_ceiling");
                let mut words = starter.iter().map(PathBuf::from).chain([program]);
                let first = words.next().context("there is the program at least")?;
                command(&pinned(core), first)
                    .args(words)
                    .args(["--camera", camera, "--bytes", &case.bytes.to_string()])
                    .spawn()
            }
        };
        Running::new(child, server.name)
    }
}

fn pinned(core: Option<&str>) -> Vec<&str> {
    core.map_or(Vec::new(), |core| vec!["taskset", "-c", core])
}

const SERVER_CORE: &str = "0";
const OTHER_CORE: &str = "1";
const SETTLE: Duration = Duration::from_secs(1);
