//! A relay as a process.

use std::{
    fs::{self, File},
    net::SocketAddr,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use kit::child::Child;
use rustix::process::Signal;

use super::certificates::NodeCertificate;

/// What a relay is given.
#[derive(Clone, Debug)]
pub(crate) struct NodePlan {
    pub(crate) name: String,
    /// The program, behind the command prefix that runs it on its machine.
    pub(crate) command: Vec<String>,
    pub(crate) http: SocketAddr,
    /// Where the API is: on loopback, as it has no users.
    pub(crate) control: SocketAddr,
    /// Its part of a cluster, unless it is alone.
    pub(crate) member: Option<Member>,
    /// As TOML.
    pub(crate) streams: String,
    /// For its files.
    pub(crate) folder: PathBuf,
}

/// What a relay is told of its cluster.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) engine: Vec<SocketAddr>,
    pub(crate) link: SocketAddr,
    pub(crate) lease: Duration,
    pub(crate) tls: Option<NodeCertificate>,
    /// More keys, as TOML.
    pub(crate) keys: &'static str,
}

/// A relay. Dropping it kills the process.
pub(crate) struct Node {
    pub(crate) plan: NodePlan,
    process: Option<Child>,
}

impl Node {
    /// Writes its configuration. It does not run yet.
    pub(crate) fn new(plan: NodePlan) -> Result<Self> {
        fs::write(plan.config(), plan.text()).context("writing a configuration")?;
        Ok(Self {
            plan,
            process: None,
        })
    }

    /// Starts the process. Its log is appended to the file of its name.
    pub(crate) fn start(&mut self) -> Result<()> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.plan.log())?;
        let (program, arguments) = self.plan.command.split_first().context("a command")?;
        let mut command = Command::new(program);
        command.args(arguments).args(["run", "--config"]);
        command.arg(self.plan.config());
        // A backtrace takes long in a debug build.
        command.env_remove("RUST_BACKTRACE");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        self.process = Some(Child::start(&mut command, &*self.plan.name)?);
        Ok(())
    }

    /// Whether it has been started and neither killed nor waited for.
    pub(crate) fn is_up(&self) -> bool {
        self.process.is_some()
    }

    /// Fails if it has ended by itself, with the end of its log.
    pub(crate) fn must_run(&mut self) -> Result<()> {
        let process = self.process.as_mut().context("the node does not run")?;
        let Some(status) = process.status()? else {
            return Ok(());
        };
        let log = fs::read_to_string(self.plan.log())?;
        let lines: Vec<_> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n");
        bail!("{} has ended: {status}\n{last}", self.plan.name)
    }

    pub(crate) fn id(&self) -> Result<u32> {
        let process = self.process.as_ref();
        Ok(process.context("the node does not run")?.id())
    }

    /// Kills it, as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        self.process = None;
    }

    pub(crate) fn signal(&mut self, signal: Signal) -> Result<()> {
        let process = self.process.as_mut();
        process.context("the node does not run")?.signal(signal)
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self, limit: Duration) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            let status = process.ended(limit).await?;
            ensure!(status.success(), "{} ended: {status}", self.plan.name);
        }
        Ok(())
    }
}

impl NodePlan {
    fn log(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.name))
    }

    fn config(&self) -> PathBuf {
        self.folder.join(format!("{}.toml", self.name))
    }

    fn text(&self) -> String {
        let Self {
            name,
            http,
            control,
            ..
        } = self;
        let state = self.folder.join(format!("{name}.state"));
        let mut text = format!("state_dir = \"{}\"\nlog = \"{LOG}\"\n", state.display());
        text += &format!(
            "[[listen]]\naddress = \"{http}\"\nserve = [\"streams\", \"metrics\"]\n\
             [[listen]]\naddress = \"{control}\"\nserve = [\"control\"]\n"
        );
        text += "[auth]\nanonymous = [\"view\", \"metrics\"]\n";
        if let Some(member) = &self.member {
            text += &member.text(name);
        }
        text + &self.streams
    }
}

impl Member {
    fn text(&self, name: &str) -> String {
        let Self {
            link, lease, keys, ..
        } = self;
        let engine: Vec<_> = self
            .engine
            .iter()
            .map(|at| format!("http://{at}"))
            .collect();
        let lease = lease.as_millis();
        let mut text = format!(
            "[cluster]\nname = \"plant\"\nnode = \"{name}\"\nengine = {engine:?}\n\
             listen = \"{link}\"\nadvertise = \"{link}\"\nlease = \"{lease}ms\"\n\
             secret = \"a secret of the rig that nobody else has\"\n{keys}\n"
        );
        if let Some(NodeCertificate {
            certificate,
            key,
            authority,
        }) = &self.tls
        {
            text += &format!(
                "tls = {{ certificate = {certificate:?}, key = {key:?}, ca = {authority:?} }}\n"
            );
        }
        text
    }
}

/// The configuration of a stream, with further keys.
pub(crate) fn stream(name: &str, source: &str, keys: &str) -> String {
    format!("[[streams]]\nname = \"{name}\"\nsource = \"{source}\"\n{keys}\n")
}

/// What nodes log: also why the engine or another node has failed.
const LOG: &str = "info,mjpeg_cluster=debug";
/// How much of a log is quoted.
const LAST_LINES: usize = 12;
