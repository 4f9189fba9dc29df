//! Processes that do not outlive their owner.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

/// A command started by others (`taskset`, `ip netns exec`), with as many open files as are allowed. Its process is that of the program, since
/// each word of the chain becomes the next.
pub(crate) fn command(starter: &[&str], program: PathBuf) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n \"$(ulimit -H -n)\" && exec \"$@\"", "sh"]);
    command.args(starter).arg(program).stdout(Stdio::piped());
    command
}

/// A process whose output is read, and which is killed when this is dropped.
pub(crate) struct Running {
    child: Child,
    out: BufReader<ChildStdout>,
    what: String,
}

impl Running {
    pub(crate) fn new(child: std::io::Result<Child>, what: impl Into<String>) -> Result<Self> {
        let what = what.into();
        let mut child = child.with_context(|| format!("starting {what}"))?;
        let out = child.stdout.take().context("its output is piped")?;
        let out = BufReader::new(out);
        Ok(Self { child, out, what })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn first_line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.out.read_line(&mut line)?;
        if line.is_empty() {
            bail!("{} ended at once: {}", self.what, self.child.wait()?);
        }
        Ok(line.trim().to_owned())
    }

    pub(crate) fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Waits for its end, and returns what it has printed.
    pub(crate) fn rest(mut self) -> Result<String> {
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
