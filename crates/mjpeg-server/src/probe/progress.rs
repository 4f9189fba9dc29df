//! What is shown while a camera is looked at.

use std::io::{self, IsTerminal, Write};

use mjpeg_manager::mjpeg_ingest::Source;

/// A line on the terminal that changes. Nothing is written if standard error is no terminal.
pub(super) struct ProbeProgress {
    source: String,
    is_shown: bool,
}

impl ProbeProgress {
    pub(super) fn new(source: &Source) -> Self {
        Self {
            source: source.to_string(),
            is_shown: io::stderr().is_terminal(),
        }
    }

    /// Says what is being done.
    pub(super) fn show(&self, what: &str) {
        if self.is_shown {
            // A line that is too long would not be overwritten.
            let line: String = format!("{}: {what}", self.source)
                .chars()
                .take(79)
                .collect();
            let _ = write!(io::stderr(), "\r\x1b[K{line}");
        }
    }

    /// Removes the line.
    pub(super) fn clear(&self) {
        if self.is_shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
