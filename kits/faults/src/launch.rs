//! How the process of a relay is started.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io::{self, ErrorKind, PipeReader, PipeWriter, Write as _},
    os::{fd::AsRawFd as _, unix::fs::OpenOptionsExt as _},
};

use rustix::fs::OFlags;

/// What differs from case to case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Launch {
    /// The limit on open files, if it is not the suite's own.
    pub(crate) most_files: Option<u32>,
    pub(crate) env: BTreeMap<&'static str, String>,
    /// Further arguments of the program, such as another stream.
    pub(crate) args: Vec<String>,
    /// How many URLs the program prints before those of the ports of its streams.
    pub(crate) pages: usize,
    /// Whether standard error is a pipe that is not read, instead of a file.
    pub(crate) is_log_unread: bool,
}

impl Launch {
    /// Adds a stream on a free port to the program's arguments.
    pub(crate) fn add_stream(&mut self, name: &str, url: &str) {
        self.args.push("--stream".into());
        self.args.push(format!("{name}={url}@127.0.0.1:0"));
    }

    /// The number of streams in the arguments.
    pub(crate) fn streams(&self) -> usize {
        self.args.iter().filter(|arg| *arg == "--stream").count()
    }
}

/// A pipe that is not read.
pub(crate) struct Unread {
    writer: PipeWriter,
    _reader: PipeReader,
}

impl Unread {
    pub(crate) fn new() -> io::Result<Self> {
        let (_reader, writer) = io::pipe()?;
        Ok(Self { writer, _reader })
    }

    /// The end for the process that writes.
    pub(crate) fn writer(&self) -> io::Result<PipeWriter> {
        self.writer.try_clone()
    }

    /// Fills the pipe, so that the next write blocks.
    pub(crate) fn fill(&self) -> io::Result<()> {
        // The process shares the flags of the writer, so the flag needs a file of its own.
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
