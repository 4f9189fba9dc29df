//! Why a command of `ctl` was not done, and what scripts are told.

use std::{fmt, io};

use http::StatusCode;
use mjpeg_manager::mjpeg_ingest::escaped;

use super::problem::ApiProblem;

/// Why a command was not done.
#[derive(Debug)]
pub(super) enum CtlFailure {
    /// The command line, the environment, or a file that it names is wrong.
    Usage(String),
    /// There is no connection to a relay, or it gave no answer. One line for each place that was
    /// tried, and what to do.
    Unreachable {
        detail: String,
        tried: Vec<String>,
        hint: String,
    },
    /// The relay said no.
    Refused(Box<ApiProblem>),
    /// What came is no answer of a relay.
    BadAnswer(String),
    /// A file cannot be written, or is not to be replaced.
    File(String),
    /// Standard output cannot be written.
    Output(io::Error),
}

impl CtlFailure {
    pub(super) fn unreachable(detail: impl Into<String>) -> Self {
        Self::Unreachable {
            detail: detail.into(),
            tried: Vec::new(),
            hint: String::new(),
        }
    }

    /// The exit code, as `ctl --help` lists them.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Unreachable { .. } => 3,
            Self::Refused(problem) => match problem.status {
                StatusCode::NOT_FOUND => 4,
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => 5,
                _ => 1,
            },
            Self::BadAnswer(_) | Self::File(_) => 1,
            // The reader has seen enough, as `head` has.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Self::Output(_) => 1,
        }
    }

    /// Whether the relay said no with this status.
    pub(super) fn is(&self, status: StatusCode) -> bool {
        matches!(self, Self::Refused(problem) if problem.status == status)
    }

    /// Whether another attempt may do better: the relay is not there, is ending, or is busy.
    pub(super) fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused(problem) => {
                problem.status.is_server_error() || problem.status == StatusCode::TOO_MANY_REQUESTS
            }
            Self::Usage(_) | Self::BadAnswer(_) | Self::File(_) | Self::Output(_) => false,
        }
    }
}

/// For people, with what to do about it; what came from elsewhere steers no terminal.
impl fmt::Display for CtlFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(detail) | Self::File(detail) => write!(f, "error: {}", escaped(detail)),
            Self::Unreachable {
                detail,
                tried,
                hint,
            } => {
                write!(f, "error: {}", escaped(detail))?;
                for line in tried {
                    write!(f, "\n  {}", escaped(line))?;
                }
                match hint.is_empty() {
                    true => Ok(()),
                    false => write!(f, "\nhint: {}", escaped(hint)),
                }
            }
            Self::Refused(problem) => problem.fmt(f),
            Self::BadAnswer(detail) => write!(
                f,
                "error: {}\nhint: is it a mjpeg-server that answers there?",
                escaped(detail)
            ),
            Self::Output(error) => write!(f, "error: cannot write to standard output: {error}"),
        }
    }
}
