//! Programs that write images to their standard output.

mod group;
mod last_lines;
mod supervisor;

use std::{
    io,
    pin::Pin,
    process::{ExitStatus, Stdio},
    task::{Context, Poll, ready},
    time::Duration,
};

use async_trait::async_trait;
use tokio::{
    io::{AsyncRead, ReadBuf},
    process::{Child, ChildStderr, ChildStdout, Command},
    task::spawn_blocking,
    time::timeout,
};

use self::{group::Group, last_lines::LastLines};
use super::redact::redacted;
use crate::{
    connect::{Connect, Connection},
    error::{ConnectError, SourceEnd, local::ProgramEnd},
    text::escaped,
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

    /// Names the program for people, without its arguments: any of them may be a password.
    pub(super) fn label(&self) -> String {
        let name = self.name();
        match self.args.len() {
            0 => format!("exec:{name}"),
            1 => format!("exec:{name} (1 argument)"),
            count => format!("exec:{name} ({count} arguments)"),
        }
    }

    /// The program without its arguments, for people.
    fn name(&self) -> String {
        escaped(&redacted(&self.program)).into_owned()
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
            program: self.name(),
            source,
        };
        let mut command = Command::new(&self.program);
        command.args(&self.args);
        // The system returns when it has found and loaded the program, which a slow disk delays.
        let started = spawn_blocking(move || Started::new(command)).await;
        let Started {
            group,
            child,
            stdout,
            stderr,
        } = started
            .unwrap_or_else(|error| Err(error.into()))
            .map_err(failed)?;
        let peer = format!("{}, process {group}", self.name());
        let output = ProgramOutput {
            _group: group,
            program: self.name(),
            stdout,
            stderr: Some(stderr),
            last_lines: LastLines::default(),
            child: Some(child),
            exit: None,
        };
        Ok(Connection::bytes(output, peer))
    }
}

/// A program that runs. Dropping it kills the program and all its children.
struct Started {
    /// First, so that the group is killed before its leader is reaped.
    group: Group,
    child: Child,
    stdout: ChildStdout,
    stderr: ChildStderr,
}

impl Started {
    fn new(mut command: Command) -> io::Result<Self> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Its own group, so that its children are killed with it.
            .process_group(0)
            // After the group is killed, the runtime reaps this child.
            .kill_on_drop(true);
        supervisor::prepare();
        let mut child = command.spawn()?;
        match (
            child.id().and_then(Group::new),
            child.stdout.take(),
            child.stderr.take(),
        ) {
            (Some(group), Some(stdout), Some(stderr)) => Ok(Self {
                group,
                child,
                stdout,
                stderr,
            }),
            _ => Err(io::Error::other("it has ended already")),
        }
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
    /// Reads the available bytes of standard error, but not so many that the pictures wait.
    fn read_stderr(&mut self, cx: &mut Context<'_>) {
        let mut space = [0; 1024];
        for _ in 0..STDERR_READS {
            let Some(stderr) = &mut self.stderr else {
                return;
            };
            let mut buf = ReadBuf::new(&mut space);
            match Pin::new(stderr).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if !buf.filled().is_empty() => {
                    self.last_lines.add(buf.filled())
                }
                Poll::Ready(_) => self.stderr = None,
                Poll::Pending => return,
            }
        }
        cx.waker().wake_by_ref();
    }
}

/// Waits for the exit; returns `None` if the program keeps running.
async fn exited(mut child: Child) -> Option<ExitStatus> {
    timeout(EXIT_TIME, child.wait()).await.ok()?.ok()
}

/// How long a program may run after it has closed its output before it is killed.
const EXIT_TIME: Duration = Duration::from_secs(1);

/// How often standard error is read before standard output has its turn.
const STDERR_READS: usize = 16;
