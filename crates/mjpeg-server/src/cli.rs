//! The command line.

pub(crate) mod camera_args;
pub(crate) mod cert;
pub(crate) mod demo;
mod redact;
pub(crate) mod run;
pub(crate) mod stream_arg;
pub(crate) mod viewer_args;

use clap::{Parser, Subcommand};
use tracing_subscriber::filter::Targets;

use self::{cert::Cert, demo::Demo, run::Run};
use crate::telemetry;

/// Relays Motion-JPEG cameras: connects to each camera once and serves its pictures over HTTP to
/// any number of viewers.
///
/// To see pictures without a camera: mjpeg-server demo
#[derive(Debug, Parser)]
#[command(name = "mjpeg-server", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// What to log, to standard error: off, error, warn, info, debug or trace, also per module
    /// (info,mjpeg_http=debug). Lines that nobody reads in time are dropped and counted
    #[arg(
        long,
        global = true,
        env = "MJPEG_LOG",
        value_name = "LEVEL",
        default_value = "info",
        value_parser = telemetry::parse_filter
    )]
    pub(crate) log: Targets,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Relay cameras
    Run(Box<Run>),
    /// Show pictures without a camera: made-up cameras, relayed like real ones
    Demo(Demo),
    /// Make a certificate for HTTPS that this machine signs itself
    Cert(Cert),
}

impl Cli {
    /// Parses the arguments of this process. Exits on errors, and after `--help` and the like.
    pub(crate) fn from_process() -> Self {
        Self::try_parse().unwrap_or_else(|error| redact::without_urls(error).exit())
    }
}

impl Command {
    /// How many threads serve viewers.
    pub(crate) fn worker_threads(&self) -> u16 {
        match self {
            Self::Run(run) => run.worker_threads,
            Self::Demo(_) | Self::Cert(_) => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn definition_is_sound() {
        Cli::command().debug_assert();
    }
}
