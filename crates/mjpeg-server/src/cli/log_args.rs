//! The arguments about the log.

use clap::Args;
use serde::Serialize;

use crate::config::value::{choice::LogFormat, log_filter::LogFilter, text::TextValue};

/// The fields are called like the keys that they set.
#[derive(Args, Debug, Serialize)]
pub(crate) struct LogArgs {
    /// What to log, to standard error: off, error, warn, info, debug or trace, also per module
    /// (info,mjpeg_http=debug). Lines that nobody reads in time are dropped and counted
    /// [default: info]
    #[arg(long, global = true, env = "MJPEG_LOG", value_name = "LEVEL")]
    pub(crate) log: Option<TextValue<LogFilter>>,

    /// How lines of the log are written: for people, or each as a JSON object [default: text]
    #[arg(
        long,
        global = true,
        env = "MJPEG_LOG_FORMAT",
        value_name = "text|json",
        hide_possible_values = true
    )]
    pub(crate) log_format: Option<LogFormat>,
}
