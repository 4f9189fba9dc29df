//! One run: camera, server and viewers as processes, and what the viewers report.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;

use crate::bench::cases::{Case, Sides};
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

/// What the viewers report of a run.
#[derive(Debug, Deserialize)]
pub(crate) struct Run {
    pub(crate) viewers: u64,
    pub(crate) lost: u64,
    pub(crate) first_fault: Option<String>,
    pub(crate) window_ns: u64,
    pub(crate) load_cpu: f64,
    pub(crate) offered: u64,
    pub(crate) delivered: u64,
    pub(crate) expected: u64,
    pub(crate) missed: u64,
    pub(crate) checked: u64,
    pub(crate) bad: u64,
    pub(crate) out_of_order: u64,
    pub(crate) total: u64,
    pub(crate) part_bytes: u64,
    pub(crate) age_ms: Ages,
    pub(crate) server: Watched,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Ages {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Watched {
    pub(crate) cpu: Cpu,
    pub(crate) rss_before_kib: u64,
    pub(crate) rss_kib: u64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Cpu {
    pub(crate) run_ns: u64,
    pub(crate) wait_ns: u64,
    pub(crate) user_ticks: u64,
    pub(crate) kernel_ticks: u64,
}

impl Run {
    /// CPU time of the server per delivered frame.
    pub(crate) fn cpu_us(&self) -> f64 {
        self.server.cpu.run_ns as f64 / 1000.0 / self.delivered.max(1) as f64
    }

    /// The server's share of a core, in percent.
    pub(crate) fn core_percent(&self) -> f64 {
        100.0 * self.server.cpu.run_ns as f64 / self.window_ns as f64
    }

    /// How long the server waited for a core that others had, in percent of the window.
    pub(crate) fn waited_percent(&self) -> f64 {
        100.0 * self.server.cpu.wait_ns as f64 / self.window_ns as f64
    }

    pub(crate) fn kernel_percent(&self) -> f64 {
        let Cpu {
            user_ticks,
            kernel_ticks,
            ..
        } = self.server.cpu;
        100.0 * kernel_ticks as f64 / (user_ticks + kernel_ticks).max(1) as f64
    }

    pub(crate) fn delivered_percent(&self) -> f64 {
        100.0 * (self.expected - self.missed) as f64 / self.expected.max(1) as f64
    }

    pub(crate) fn rss_kib_per_viewer(&self) -> f64 {
        let grown = self.server.rss_kib as f64 - self.server.rss_before_kib as f64;
        grown / self.viewers as f64
    }

    /// Why the run tells nothing of the server, if so.
    pub(crate) fn void(&self, case: &Case) -> Option<String> {
        let load = 100.0 * self.load_cpu;
        if load > LOAD_AT_MOST_PERCENT {
            return Some(format!("the viewers took {load:.0} % of their core"));
        }
        let due = case.fps as f64 * self.window_ns as f64 / 1e9;
        // One frame more or less lies at the window's ends.
        if (self.offered as f64) < 0.99 * due - 1.0 {
            return Some(format!(
                "the camera sent {} frames of {due:.0}, or the server read no more",
                self.offered
            ));
        }
        None
    }

    /// One line for who waits.
    pub(crate) fn told(&self) -> String {
        let mut line = format!(
            "{:6.2} us/frame, {:5.1} % of a core (waited {:.0} %), {:6.2} % delivered, age p50 {:.1} p99 {:.1} max {:.1} ms, \
             {:.1} KiB/viewer, viewers' CPU {:.0} %",
            self.cpu_us(),
            self.core_percent(),
            self.waited_percent(),
            self.delivered_percent(),
            self.age_ms.p50,
            self.age_ms.p99,
            self.age_ms.max,
            self.rss_kib_per_viewer(),
            100.0 * self.load_cpu
        );
        if self.lost > 0 {
            let why = self.first_fault.as_deref().unwrap_or("unknown");
            line += &format!(", {} viewers LOST ({why})", self.lost);
        }
        line
    }
}

impl Programs {
    pub(crate) fn new(workspace: &Workspace) -> Self {
        Self {
            folder: workspace.target("release"),
        }
    }

    /// Does `mjpeg-server run` have this option?
    pub(crate) fn server_knows(&self, option: &str) -> Result<bool> {
        let help = Command::new(self.folder.join("mjpeg-server"))
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
        let camera = command(self.folder.join("fanout_camera"), other_core)
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

        let load = command(self.folder.join("fanout_load"), other_core)
            .args(["--to", to])
            .args(["--viewers", &case.viewers.to_string()])
            .args(["--bytes", &bytes.to_string()])
            .args(["--seconds", &seconds.to_string()])
            .args(["--watch", &process.child.id().to_string()])
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
            Kind::Relay(extra) => command(self.folder.join("mjpeg-server"), core)
                .args(["--log", "warn", "run", "--stream"])
                .arg(format!("load=tcp://{camera}@127.0.0.1:0"))
                .args(extra)
                .spawn(),
            Kind::Ceiling(starter) => {
                let program = self.folder.join("fanout_ceiling");
                let mut words = starter.iter().map(PathBuf::from).chain([program]);
                let first = words.next().context("there is the program at least")?;
                command(first, core)
                    .args(words)
                    .args(["--camera", camera, "--bytes", &case.bytes.to_string()])
                    .spawn()
            }
        };
        Running::new(child, server.name)
    }
}

/// A command pinned to a core, with as many open files as are allowed. Its process is that of the program, since each word of the chain
/// becomes the next.
fn command(program: PathBuf, core: Option<&str>) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n \"$(ulimit -H -n)\" && exec \"$@\"", "sh"]);
    if let Some(core) = core {
        command.args(["taskset", "-c", core]);
    }
    command.arg(program).stdout(Stdio::piped());
    command
}

/// A process that does not outlive its owner.
struct Running {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
    what: &'static str,
}

impl Running {
    fn new(child: std::io::Result<Child>, what: &'static str) -> Result<Self> {
        let mut child = child.with_context(|| format!("starting {what}"))?;
        let out = child.stdout.take().context("its output is piped")?;
        let out = BufReader::new(out);
        Ok(Self { child, out, what })
    }

    fn first_line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.out.read_line(&mut line)?;
        if line.is_empty() {
            bail!("{} ended at once: {}", self.what, self.child.wait()?);
        }
        Ok(line.trim().to_owned())
    }

    /// Waits for its end, and returns what it has printed.
    fn rest(mut self) -> Result<String> {
        let mut text = String::new();
        self.out.read_to_string(&mut text)?;
        let status = self.child.wait()?;
        ensure!(status.success(), "{} failed: {status}", self.what);
        Ok(text)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const SERVER_CORE: &str = "0";
const OTHER_CORE: &str = "1";
const SETTLE: Duration = Duration::from_secs(1);
/// Above this, the viewers' own work may be what the frames waited for.
const LOAD_AT_MOST_PERCENT: f64 = 95.0;
