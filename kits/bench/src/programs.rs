//! The camera, the servers and the viewers as processes.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use kit::child::{Child, with_open_files};
use kit::relay::{self, Relay};
use kit::workspace::Workspace;
use xshell::cmd;

/// The release builds of all programs.
///
/// Each program starts behind a `starter`: a command prefix such as `taskset` or `ip netns exec`.
pub(crate) struct Programs {
    folder: PathBuf,
}

/// A server to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Server<'a> {
    /// The relay, with these extra arguments.
    Relay(&'a [&'a str]),
    /// The relay, with these extra arguments. Its stream `load` has no port of its own, so that it
    /// is on port 8080 of all addresses.
    Gateway(&'a [&'a str]),
    /// The reference, `fanout_ceiling`. It ends when its camera ends.
    Reference,
}

/// How many viewers there are, the length of each picture, and how long they watch.
pub(crate) struct Load {
    pub(crate) viewers: u64,
    pub(crate) bytes: u64,
    pub(crate) seconds: u64,
}

/// A running camera.
pub(crate) struct Camera {
    pub(crate) addr: SocketAddr,
    _process: Child,
}

impl Programs {
    /// The programs as [`Self::build`] left them.
    pub(crate) fn built(workspace: &Workspace) -> Self {
        let folder = workspace.target("release");
        Self { folder }
    }

    /// Builds the programs. The relay is built by itself, so that the features that the other
    /// programs need do not reach it.
    pub(crate) fn build(workspace: &Workspace) -> Result<Self> {
        workspace.release_build()?;
        let sh = &workspace.sh;
        cmd!(sh, "cargo build --release --locked -p benches --bins").run()?;
        Ok(Self::built(workspace))
    }

    /// Whether `mjpeg-server run` has this option.
    pub(crate) fn server_knows(&self, option: &str) -> Result<bool> {
        let help = Command::new(self.folder.join("mjpeg-server"))
            .args(["run", "--help"])
            .output()
            .context("running `mjpeg-server run --help`")?;
        Ok(String::from_utf8_lossy(&help.stdout).contains(option))
    }

    /// Starts a camera with these extra arguments.
    pub(crate) fn camera(
        &self,
        starter: &[&str],
        bytes: u64,
        fps: u64,
        extra: &[&str],
    ) -> Result<Camera> {
        let mut command = self.command(starter, "fanout_camera");
        command
            .args(["--bytes", &bytes.to_string(), "--fps", &fps.to_string()])
            .args(extra);
        let mut process = Child::start(&mut command, "the camera")?;
        Ok(Camera {
            addr: process.line_blocking()?.parse()?,
            _process: process,
        })
    }

    /// Starts a server for a camera whose pictures have this many bytes. It listens on `ip`.
    ///
    /// A relay can have several `streams` of that camera. Each has a connection of its own to it,
    /// and without a gateway also a port of its own, one after the other.
    pub(crate) fn server(
        &self,
        starter: &[&str],
        server: Server<'_>,
        camera: &Camera,
        bytes: u64,
        ip: &str,
        streams: u64,
    ) -> Result<Relay> {
        let mut command = match server {
            Server::Relay(extra) | Server::Gateway(extra) => {
                let mut command = self.command(starter, "mjpeg-server");
                command.args(["--log", "warn", "run"]).args(extra);
                for number in 1..=streams {
                    let source = format!("load{number}=tcp://{}", camera.addr);
                    command.arg("--stream").arg(match (server, streams) {
                        (Server::Gateway(_), _) => source,
                        (_, 1) => format!("{source}@{ip}:0"),
                        _ => format!("{source}@{ip}:{}", OWN_PORTS + number),
                    });
                }
                command
            }
            Server::Reference => {
                let mut command = self.command(starter, "fanout_ceiling");
                command
                    .args(["--camera", &camera.addr.to_string()])
                    .args(["--bytes", &bytes.to_string()])
                    .args(["--listen", &format!("{ip}:0")]);
                command
            }
        };
        Relay::start_blocking(&mut command)
    }

    /// Starts a relay with this configuration file. Its streams have no ports of their own.
    pub(crate) fn configured(&self, starter: &[&str], file: &Path) -> Result<Relay> {
        let mut command = self.command(starter, "mjpeg-server");
        command.args(["--log", "warn", "run", "--config"]).arg(file);
        let mut process = Child::start(&mut command, "the relay")?;
        let url = process.line_blocking()?;
        // That of its first stream, which is below the address.
        let base = url.split_inclusive('/').take(3).collect::<String>();
        let addr = relay::address(&base)?;
        Ok(Relay { process, addr })
    }

    /// Starts viewers of `server`, which they reach at `to`, with these extra arguments.
    pub(crate) fn viewers(
        &self,
        starter: &[&str],
        server: &Relay,
        to: SocketAddr,
        load: &Load,
        extra: &[&str],
    ) -> Result<Child> {
        let mut command = self.command(starter, "fanout_load");
        command
            .args(["--to", &to.to_string()])
            .args(["--viewers", &load.viewers.to_string()])
            .args(["--bytes", &load.bytes.to_string()])
            .args(["--seconds", &load.seconds.to_string()])
            .args(["--watch", &server.process.id().to_string()])
            .args(extra);
        Child::start(&mut command, format!("the viewers of {to}"))
    }

    /// A command that may open as many files as the system allows.
    fn command(&self, starter: &[&str], program: &str) -> Command {
        let mut command = with_open_files("\"$(ulimit -H -n)\"");
        command.args(starter).arg(self.folder.join(program));
        command.stdout(Stdio::piped());
        command
    }
}

/// Before the first of several ports. Ports from 32768 on are those of clients.
const OWN_PORTS: u64 = 18_200;
