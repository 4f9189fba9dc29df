//! How a relay's process is started.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io::{self, ErrorKind, PipeReader, PipeWriter, Write as _},
    os::{fd::AsRawFd as _, unix::fs::OpenOptionsExt as _},
};

use rustix::fs::OFlags;

/// What differs from one relay under test to another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Launch {
    /// The limit of open files, if not the suite's own.
    pub(crate) most_files: Option<u32>,
    pub(crate) env: BTreeMap<&'static str, String>,
    /// More arguments of the program, such as another stream.
    pub(crate) args: Vec<String>,
    /// Whether standard error is a pipe that nobody reads, instead of a file.
    pub(crate) is_log_unread: bool,
}

impl Launch {
    /// Adds a stream of the program, on a free port.
    pub(crate) fn add_stream(&mut self, name: &str, url: &str) {
        self.args.push("--stream".into());
        self.args.push(format!("{name}={url}@127.0.0.1:0"));
    }

    /// How many streams there are among the arguments.
    pub(crate) fn streams(&self) -> usize {
        self.args.iter().filter(|arg| *arg == "--stream").count()
    }
}

/// A pipe that nobody reads.
pub(crate) struct Unread {
    writer: PipeWriter,
    _reader: PipeReader,
}

impl Unread {
    pub(crate) fn new() -> io::Result<Self> {
        let (_reader, writer) = io::pipe()?;
        Ok(Self { writer, _reader })
    }

    /// The end that a process writes to.
    pub(crate) fn writer(&self) -> io::Result<PipeWriter> {
        self.writer.try_clone()
    }

    /// Fills it, so that whoever writes to it next has to wait.
    pub(crate) fn fill(&self) -> io::Result<()> {
        // Opened anew: a flag of the writer itself would also apply to the process.
        let path = format!("/proc/self/fd/{}", self.writer.as_raw_fd());
        let mut options = OpenOptions::new();
        let mut pipe = options
            .write(true)
            .custom_flags(OFlags::NONBLOCK.bits() as i32)
            .open(path)?;
        for chunk in [&[b'.'; 4096][..], b"."] {
            loop {
                match pipe.write(chunk) {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}
