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

use crate::{Connect, ConnectError, Connection, SourceEnd, redact::redacted};

/// A program, and what it is called with. No shell reads it.
#[derive(Debug)]
pub(crate) struct Program {
    program: String,
    args: Vec<String>,
}

impl Program {
    /// `None` without a program.
    pub(crate) fn new(argv: Vec<String>) -> Option<Self> {
        let mut args = argv.into_iter();
        let program = args.next().filter(|program| !program.is_empty())?;
        Some(Self {
            program,
            args: args.collect(),
        })
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
            // Of its own, so that what it starts ends with it.
            .process_group(0)
            // Whoever is killed with the group is reaped by the runtime.
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
        let output = Output {
            _group: Group(group),
            program: self.program.clone(),
            stdout,
            stderr: Some(stderr),
            said: LastLines::default(),
            child: Some(child),
            ends: None,
        };
        Ok(Connection::new(output, peer))
    }
}

/// Kills the program, and all that it has started, when dropped.
struct Group(Pid);

impl Drop for Group {
    fn drop(&mut self) {
        // An error is what is meant to be: nobody is left.
        let _ = kill_process_group(self.0, Signal::KILL);
    }
}

/// What the program writes. Its standard error is read along, so that it never has to wait for that.
struct Output {
    _group: Group,
    program: String,
    stdout: ChildStdout,
    stderr: Option<ChildStderr>,
    said: LastLines,
    child: Option<Child>,
    /// Once its standard output has ended.
    ends: Option<Pin<Box<dyn Future<Output = Option<ExitStatus>> + Send>>>,
}

impl AsyncRead for Output {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.listen(cx);
        if this.ends.is_none() {
            let before = buf.filled().len();
            ready!(Pin::new(&mut this.stdout).poll_read(cx, buf))?;
            if buf.filled().len() > before {
                return Poll::Ready(Ok(()));
            }
            this.ends = this.child.take().map(|child| Box::pin(ended(child)) as _);
        }
        let status = match &mut this.ends {
            Some(ends) => ready!(ends.as_mut().poll(cx)),
            None => None,
        };
        // What it said last may have come meanwhile.
        this.listen(cx);
        let ended = Ended {
            program: this.program.clone(),
            status,
            said: this.said.told(),
        };
        Poll::Ready(Err(SourceEnd::Failed(Box::new(ended)).into()))
    }
}

impl Output {
    /// Reads what is there of its standard error.
    fn listen(&mut self, cx: &mut Context<'_>) {
        let mut space = [0; 1024];
        while let Some(stderr) = &mut self.stderr {
            let mut buf = ReadBuf::new(&mut space);
            match Pin::new(stderr).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if !buf.filled().is_empty() => self.said.add(buf.filled()),
                Poll::Ready(_) => self.stderr = None,
                Poll::Pending => return,
            }
        }
    }
}

/// How it has ended; none if it lives on.
async fn ended(mut child: Child) -> Option<ExitStatus> {
    timeout(END_TIME, child.wait()).await.ok()?.ok()
}

/// The last lines of a text, as far as a person reads them.
#[derive(Debug, Default)]
struct LastLines {
    lines: VecDeque<String>,
    line: Vec<u8>,
}

impl LastLines {
    fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            match byte {
                // Programs that show their progress end lines by CR alone.
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
            // The last word may be a URL whose end, by which its password is known, is gone.
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

    fn told(&mut self) -> String {
        self.end_line();
        let lines = self.lines.iter().map(|line| redacted(line));
        let short = |line: String| line.chars().take(LINE_CHARS).collect::<String>();
        lines.map(short).collect::<Vec<_>>().join(" / ")
    }
}

/// A program that has ended, which a camera never does.
#[derive(Debug)]
struct Ended {
    program: String,
    status: Option<ExitStatus>,
    said: String,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "{} ended ({status})", self.program)?,
            None => write!(f, "{} closed its output", self.program)?,
        }
        if self.said.is_empty() {
            return Ok(());
        }
        write!(f, ": {}", self.said)
    }
}

impl std::error::Error for Ended {}

/// How long a program that has closed its output may take to end before it is killed.
const END_TIME: Duration = Duration::from_secs(1);
/// How many lines of its standard error are kept, how much of each, and how much of that is told.
const LINES: usize = 3;
const KEPT_BYTES: usize = 4096;
const LINE_CHARS: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_lines_are_kept_short_and_without_secrets() {
        let mut said = LastLines::default();
        said.add(b"one\ntwo\n\nthree\rfour rtsp://a:b@c/\nfi");
        said.add(b"ve");
        assert_eq!(said.told(), "three / four rtsp://***@c/ / five");
        said.add(&[b'x'; 1000]);
        assert_eq!(
            said.told().len(),
            "four rtsp://***@c/ / five / ".len() + 300
        );
        said.add(b"\n");
        said.add(&[b'y'; KEPT_BYTES - 9]);
        said.add(b" rtsp://a:secret@c/\n");
        assert!(!said.told().contains("secre"));
        said.add(b"\xff\n");
        assert!(said.told().ends_with('\u{fffd}'));
    }
}
