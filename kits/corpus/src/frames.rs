//! `cargo xtask frames`: prints the frames that the splitter finds in a file.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::path::Path;

use anyhow::{Context as _, Result};
use mjpeg_codec::{Found, Splitter, SplitterConfig};

pub(crate) fn run(path: &Path) -> Result<()> {
    let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut written = Ok(());
    split(file, |event| {
        if let Found::Frame(frame) = event {
            written = writeln!(out, "{} {}", frame.offset(), frame.bytes().len());
        }
        written.is_ok()
    })
    .with_context(|| format!("reading {}", path.display()))?;
    reached(written.and_then(|()| out.flush()))
}

/// Feeds a reader's bytes to a splitter with default settings, as the relay does. Passes each event
/// to `each`, and stops when `each` returns false.
pub(crate) fn split(mut reader: impl Read, mut each: impl FnMut(Found) -> bool) -> io::Result<()> {
    let mut splitter = Splitter::new(SplitterConfig::default());
    loop {
        let n = match reader.read(splitter.spare_mut()) {
            Ok(n) => n,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        splitter.filled(n);
        if n == 0 {
            splitter.finish();
        }
        while let Some(event) = splitter.poll() {
            if !each(event) {
                return Ok(());
            }
        }
        if n == 0 {
            return Ok(());
        }
    }
}

/// The outcome of writing to standard output. It is not an error if the reader stops early
/// (`| head`).
pub(crate) fn reached(written: io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.context("writing to standard output"),
    }
}
