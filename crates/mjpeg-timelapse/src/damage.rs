//! Why the files of a job cannot be read.

use std::io;

use crate::{
    error::Error,
    limits::{JOB_BYTES, MAX_FRAMES},
};

/// Why the files of a job cannot be read. It costs that job alone.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JobDamage {
    #[error("{name}: {source}")]
    File {
        name: &'static str,
        source: io::Error,
    },
    #[error("job.json: more than {JOB_BYTES} bytes")]
    JobFileLength,
    #[error("job.json: {0}")]
    NoJobFile(serde_json::Error),
    #[error("job.json: made by another version of the program (format {0})")]
    Version(u32),
    #[error("job.json: {0}")]
    Setting(Box<Error>),
    #[error("index: more than {MAX_FRAMES} frames")]
    TooManyFrames,
}

impl JobDamage {
    pub(crate) fn file(name: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { name, source }
    }

    /// Returns the reason as one line. Errors of JSON may quote what they have read.
    pub(crate) fn line(&self) -> String {
        let text = self.to_string();
        text.replace(char::is_control, "\u{FFFD}")
    }
}
