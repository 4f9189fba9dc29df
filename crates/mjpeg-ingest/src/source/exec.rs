//! Programs that write images to their standard output.

use std::{
    collections::VecDeque,
    fmt, io,
    pin::Pin,
    process::{ExitStatus, Stdio},
    task::{Context, Poll, ready},
    time::Duration,
};

use async_trait::async_trait;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncRead, ReadBuf},
    process::{Child, ChildStderr, ChildStdout, Command},
    time::timeout,
};

use super::redact::redacted;
use crate::{
    connect::{Connect, Connection},
    error::{ConnectError, SourceEnd},
};

/// A program and its arguments. No shell reads them.
#[derive(Debug)]
pub(super) struct Program {
    program: String,
    args: Vec<String>,
}

impl Program {
    /// Returns `None` without a program.
    pub(super) fn new(argv: Vec<String>) -> Option<Self> {
        let mut args = argv.into_iter();
        let program = args.next().filter(|program| !program.is_empty())?;
        Some(Self {
            program,
            args: args.collect(),
        })
    }

    /// Writes the program as a URL, with its arguments quoted the same way each time.
    pub(super) fn text(&self) -> String {
        let argv = || std::iter::once(&self.program).chain(&self.args);
        // A NUL byte cannot be quoted. It cannot be run either.
        let line = shlex::try_join(argv().map(String::as_str));
        let line = line.unwrap_or_else(|_| argv().cloned().collect::<Vec<_>>().join("\0"));
        format!("exec:{line}")
    }
}

#[async_trait]
impl Connect for Program {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        let failed = |source| ConnectError::Start {
            program: self.program.clone(),
            source,
        };
        let mut child = Command::new(&self.program)
            .args(&self.args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Its own group, so that its children are killed with it.
            .process_group(0)
            // After the group is killed, the runtime reaps this child.
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let id = child.id().and_then(|id| Pid::from_raw(id as i32));
        let (Some(group), Some(stdout), Some(stderr)) =
            (id, child.stdout.take(), child.stderr.take())
        else {
            return Err(failed(io::Error::other("it has ended already")));
        };
        let peer = format!("{}, process {group}", self.program);
        let output = ProgramOutput {
            _group: Group(group),
            program: self.program.clone(),
            stdout,
            stderr: Some(stderr),
            last_lines: LastLines::default(),
            child: Some(child),
            exit: None,
        };
        Ok(Connection::bytes(output, peer))
    }
}

/// Kills the program and all its children when dropped.
struct Group(Pid);

impl Drop for Group {
    fn drop(&mut self) {
        // ESRCH is fine: the group is already gone.
        let _ = kill_process_group(self.0, Signal::KILL);
    }
}

/// The output of the program. Standard error is read too, so that the program never blocks on it.
struct ProgramOutput {
    _group: Group,
    program: String,
    stdout: ChildStdout,
    stderr: Option<ChildStderr>,
    last_lines: LastLines,
    child: Option<Child>,
    /// Waits for the exit once standard output has ended.
    exit: Option<Pin<Box<dyn Future<Output = Option<ExitStatus>> + Send>>>,
}

impl AsyncRead for ProgramOutput {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.read_stderr(cx);
        if this.exit.is_none() {
            let before = buf.filled().len();
            ready!(Pin::new(&mut this.stdout).poll_read(cx, buf))?;
            if buf.filled().len() > before {
                return Poll::Ready(Ok(()));
            }
            this.exit = this.child.take().map(|child| Box::pin(exited(child)) as _);
        }
        let status = match &mut this.exit {
            Some(exit) => ready!(exit.as_mut().poll(cx)),
            None => None,
        };
        // Its last lines may have arrived meanwhile.
        this.read_stderr(cx);
        let ended = ProgramEnd {
            program: this.program.clone(),
            status,
            last_lines: this.last_lines.take(),
        };
        Poll::Ready(Err(SourceEnd::Failed(Box::new(ended)).into()))
    }
}

impl ProgramOutput {
    /// Reads the available bytes of standard error.
    fn read_stderr(&mut self, cx: &mut Context<'_>) {
        let mut space = [0; 1024];
        while let Some(stderr) = &mut self.stderr {
            let mut buf = ReadBuf::new(&mut space);
            match Pin::new(stderr).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if !buf.filled().is_empty() => {
                    self.last_lines.add(buf.filled())
                }
                Poll::Ready(_) => self.stderr = None,
                Poll::Pending => return,
            }
        }
    }
}

/// Waits for the exit; returns `None` if the program keeps running.
async fn exited(mut child: Child) -> Option<ExitStatus> {
    timeout(EXIT_TIME, child.wait()).await.ok()?.ok()
}

/// The last lines of a text, shortened for an error message.
#[derive(Debug, Default)]
struct LastLines {
    lines: VecDeque<String>,
    line: Vec<u8>,
}

impl LastLines {
    fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            match byte {
                // Progress displays end lines with CR alone.
                b'\n' | b'\r' => self.end_line(),
                _ if self.line.len() < KEPT_BYTES => self.line.push(byte),
                _ => {}
            }
        }
    }

    fn end_line(&mut self) {
        let is_cut = self.line.len() == KEPT_BYTES;
        let mut line = String::from_utf8_lossy(&self.line).trim().to_owned();
        self.line.clear();
        if is_cut {
            // The last word may be a URL that was cut before the `@`, so that its password could
            // not be recognised.
            line.truncate(line.rfind(char::is_whitespace).unwrap_or(0));
            line.push('…');
        }
        if line.is_empty() {
            return;
        }
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    fn take(&mut self) -> String {
        self.end_line();
        let lines = self.lines.iter().map(|line| redacted(line));
        let short = |line: String| line.chars().take(LINE_CHARS).collect::<String>();
        lines.map(short).collect::<Vec<_>>().join(" / ")
    }
}

/// A program that has ended, as a camera never does.
#[derive(Debug)]
struct ProgramEnd {
    program: String,
    status: Option<ExitStatus>,
    last_lines: String,
}

impl fmt::Display for ProgramEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "{} ended ({status})", self.program)?,
            None => write!(f, "{} closed its output", self.program)?,
        }
        if self.last_lines.is_empty() {
            return Ok(());
        }
        write!(f, ": {}", self.last_lines)
    }
}

impl std::error::Error for ProgramEnd {}

/// How long a program may run after it has closed its output before it is killed.
const EXIT_TIME: Duration = Duration::from_secs(1);

/// How many lines of standard error are kept.
const LINES: usize = 3;

/// How much of each line is kept.
const KEPT_BYTES: usize = 4096;

/// How much of each line an error message shows.
const LINE_CHARS: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_lines_are_kept_short_and_without_secrets() {
        let mut lines = LastLines::default();
        lines.add(b"one\ntwo\n\nthree\rfour rtsp://a:b@c/\nfi");
        lines.add(b"ve");
        assert_eq!(lines.take(), "three / four rtsp://***@c/ / five");
        lines.add(&[b'x'; 1000]);
        assert_eq!(
            lines.take().len(),
            "four rtsp://***@c/ / five / ".len() + 300
        );
        lines.add(b"\n");
        lines.add(&[b'y'; KEPT_BYTES - 9]);
        lines.add(b" rtsp://a:secret@c/\n");
        assert!(!lines.take().contains("secre"));
        lines.add(b"\xff\n");
        assert!(lines.take().ends_with('\u{fffd}'));
    }
}
