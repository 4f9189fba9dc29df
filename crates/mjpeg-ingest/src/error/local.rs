//! Failures of programs and files of this machine.

#[cfg(all(feature = "exec", unix))]
use std::{fmt, process::ExitStatus};

/// A recording without a single frame.
#[derive(Debug, thiserror::Error)]
#[error("there is no JPEG image in {path}")]
pub(crate) struct NoImage {
    pub(crate) path: String,
}

/// A program that has ended, as a camera never does.
#[cfg(all(feature = "exec", unix))]
#[derive(Debug)]
pub(crate) struct ProgramEnd {
    pub(crate) program: String,
    pub(crate) status: Option<ExitStatus>,
    /// What it said last, without secrets.
    pub(crate) last_lines: String,
}

#[cfg(all(feature = "exec", unix))]
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

#[cfg(all(feature = "exec", unix))]
impl std::error::Error for ProgramEnd {}
