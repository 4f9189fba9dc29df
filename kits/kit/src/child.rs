//! A child process that is killed when its value is dropped.

use std::io::{BufRead as _, BufReader};
use std::process::{ChildStdin, Command, ExitStatus};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep, timeout};

/// A running process. Dropping it kills the process.
///
/// If its standard output is piped, a thread reads it line by line, so the process never blocks on
/// a full pipe.
pub struct Child {
    child: std::process::Child,
    lines: UnboundedReceiver<String>,
    what: String,
}

impl Child {
    /// Starts a process. `what` names it in errors.
    pub fn start(command: &mut Command, what: impl Into<String>) -> Result<Self> {
        let what = what.into();
        let child = command.spawn();
        let mut child = child.with_context(|| format!("starting {what}"))?;
        let (sender, lines) = unbounded_channel();
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || {
                let lines = BufReader::new(stdout).lines().map_while(Result::ok);
                lines.for_each(|line| drop(sender.send(line)));
            });
        }
        Ok(Self { child, lines, what })
    }

    /// The process ID.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Takes the standard input, if it was piped.
    pub fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Waits for the next line of output, at most [`LINE_LIMIT`].
    pub async fn line(&mut self) -> Result<String> {
        let line = timeout(LINE_LIMIT, self.lines.recv()).await;
        let silent = || format!("{} has printed nothing for {LINE_LIMIT:?}", self.what);
        match line.with_context(silent)? {
            Some(line) => Ok(line),
            None => bail!("{} ended: {}", self.what, self.child.wait()?),
        }
    }

    /// As [`Self::line`], blocking the thread.
    pub fn line_blocking(&mut self) -> Result<String> {
        block_on(self.line())
    }

    /// The exit status, if the process has ended.
    pub fn status(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Sends the process a signal. It is an error if the process has ended.
    pub fn signal(&mut self, signal: Signal) -> Result<()> {
        ensure!(
            self.status()?.is_none(),
            "{} has ended by itself",
            self.what
        );
        kill_process(Pid::from_child(&self.child), signal)
            .with_context(|| format!("sending {signal:?}"))
    }

    /// Asks the process to end (SIGTERM).
    pub fn terminate(&mut self) -> Result<()> {
        self.signal(Signal::TERM)
    }

    /// Waits for the end of the process, at most `limit`.
    pub async fn ended(&mut self, limit: Duration) -> Result<ExitStatus> {
        let since = Instant::now();
        loop {
            if let Some(status) = self.status()? {
                return Ok(status);
            }
            if since.elapsed() > limit {
                bail!("{} still runs after {limit:?}", self.what);
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    /// As [`Self::ended`], blocking the thread.
    pub fn ended_blocking(&mut self, limit: Duration) -> Result<ExitStatus> {
        block_on(self.ended(limit))
    }

    /// Waits for the process to end, and returns the rest of its output. Any status but success is
    /// an error.
    pub fn rest(mut self) -> Result<String> {
        let mut text = String::new();
        while let Some(line) = self.lines.blocking_recv() {
            text += &line;
            text.push('\n');
        }
        let status = self.child.wait()?;
        ensure!(status.success(), "{} failed: {status}", self.what);
        Ok(text)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Fails only if the process has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that runs its arguments as a command line, with this limit on open files. The shell
/// replaces itself with the program (`exec`), so the process ID is the program's.
#[must_use]
pub fn with_open_files(limit: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n {limit} && exec \"$@\""), "sh"]);
    command
}

/// Runs a future for a caller without an async runtime.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = Builder::new_current_thread().enable_time().build();
    runtime?.block_on(future)
}

/// How long a process may take to print a line.
pub const LINE_LIMIT: Duration = Duration::from_secs(20);
const POLL_INTERVAL: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::*;

    fn shell(script: &str) -> Child {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdout(Stdio::piped());
        Child::start(&mut command, "the script").unwrap()
    }

    #[test]
    fn lines_come_one_by_one_and_the_rest_at_the_end() {
        let mut child = shell("echo one; echo two; echo three");
        assert_eq!(child.line_blocking().unwrap(), "one");
        assert_eq!(child.rest().unwrap(), "two\nthree\n");
    }

    #[test]
    fn a_process_that_ends_early_or_badly_is_named() {
        let error = shell("exit 3").line_blocking().unwrap_err().to_string();
        assert!(error.starts_with("the script ended: "), "{error}");
        let error = shell("exit 3").rest().unwrap_err().to_string();
        assert!(error.starts_with("the script failed: "), "{error}");
    }

    #[test]
    fn terminate_ends_it_and_drop_kills_it() {
        let mut child = shell("echo ready; exec sleep 60");
        child.line_blocking().unwrap();
        child.terminate().unwrap();
        assert!(!child.ended_blocking(LINE_LIMIT).unwrap().success());
        assert!(child.terminate().is_err());
        let id = shell("exec sleep 60").id();
        assert!(!std::path::Path::new(&format!("/proc/{id}")).exists());
    }
}
