//! The program under test, as its users start it.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use xshell::cmd;

use crate::util::Workspace;

/// Builds the program as it is released.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    let sh = &workspace.sh;
    cmd!(sh, "cargo build --release --locked --package mjpeg-server").run()?;
    Ok(workspace.target("release/mjpeg-server"))
}

/// A running relay of one stream. Killed when dropped.
pub(crate) struct Relay {
    child: Child,
    /// Kept, for the relay must find somebody who reads.
    _stdout: BufReader<ChildStdout>,
    addr: SocketAddr,
}

impl Relay {
    /// Starts `program` for the camera at `camera`; what it logs goes to a file in `folder`.
    pub(crate) fn start(
        program: &Path,
        camera: SocketAddr,
        arguments: &[String],
        folder: &Path,
    ) -> Result<Self> {
        let log = folder.join("relay.log");
        let mut child = Command::new(program)
            .args(["run", "--placeholder", "none", "--stream"])
            .arg(format!("kit=tcp://{camera}@127.0.0.1:0"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        let stdout = child.stdout.take().context("piped, taken once")?;
        let mut stdout = BufReader::new(stdout);
        let mut url = String::new();
        stdout.read_line(&mut url)?;
        let addr = url
            .trim()
            .strip_prefix("http://")
            .and_then(|rest| rest.strip_suffix('/'));
        let addr = addr.and_then(|addr| addr.parse().ok());
        let Some(addr) = addr else {
            let _ = child.kill();
            let _ = child.wait();
            bail!(
                "mjpeg-server printed {url:?} instead of a URL, and logged: {}",
                fs::read_to_string(log).unwrap_or_default()
            );
        };
        Ok(Self {
            child,
            _stdout: stdout,
            addr,
        })
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// How many connections viewers have to it now, as the system knows it.
    pub(crate) fn connections(&self) -> Result<usize> {
        let table = fs::read_to_string("/proc/net/tcp")
            .context("reading the system's connections; this kit needs Linux")?;
        Ok(established(&table, self.addr.port()))
    }

    /// Ends it in order, which ends the viewers' responses.
    pub(crate) fn end(mut self) -> Result<()> {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-s", "TERM", &id]).status();
        if !told.context("running kill")?.success() {
            bail!("mjpeg-server has ended by itself");
        }
        let start = Instant::now();
        while self.child.try_wait()?.is_none() {
            if start.elapsed() > END_LIMIT {
                bail!("mjpeg-server does not end within {END_LIMIT:?} of SIGTERM");
            }
            sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Counts the established connections whose local port is this one, in the form of `/proc/net/tcp`.
fn established(table: &str, port: u16) -> usize {
    let local = format!(":{port:04X}");
    let lines = table.lines().skip(1).filter(|line| {
        let mut columns = line.split_whitespace().skip(1);
        let ours = columns.next().is_some_and(|addr| addr.ends_with(&local));
        ours && columns.nth(1) == Some("01")
    });
    lines.count()
}

const END_LIMIT: Duration = Duration::from_secs(8);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_open_connections_to_the_port_count() {
        let table = "  sl  local_address rem_address   st tx_queue\n\
             0: 0100007F:1F91 00000000:0000 0A 00000000:00000000\n\
             1: 0100007F:1F91 0100007F:D2A6 01 00000000:00000000\n\
             2: 0100007F:D2A6 0100007F:1F91 01 00000000:00000000\n\
             3: 0100007F:1F91 0100007F:D2A8 08 00000000:00000000\n";
        assert_eq!(established(table, 8081), 1);
        assert_eq!(established(table, 8082), 0);
    }
}
