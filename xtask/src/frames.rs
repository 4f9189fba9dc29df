//! What the splitter finds in a file: `cargo xtask frames`, and the reading it shares with `corpus`.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::path::Path;

use anyhow::{Context as _, Result};
use mjpeg_codec::{Event, Splitter, SplitterConfig};

pub(crate) fn run(path: &Path) -> Result<()> {
    let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut written = Ok(());
    split(file, |event| {
        if let Event::Frame(frame) = event {
            written = writeln!(out, "{} {}", frame.offset(), frame.bytes().len());
        }
        written.is_ok()
    })
    .with_context(|| format!("reading {}", path.display()))?;
    reached(written.and_then(|()| out.flush()))
}

/// Gives a reader's bytes to a splitter with default settings, as a relay would, and hands on each
/// event; ends early when `each` says false.
pub(crate) fn split(mut reader: impl Read, mut each: impl FnMut(Event) -> bool) -> io::Result<()> {
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

/// What writing to standard output came to. A reader that has seen enough (`| head`) is no failure.
pub(crate) fn reached(written: io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.context("writing to standard output"),
    }
}
