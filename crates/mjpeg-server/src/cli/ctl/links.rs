//! The arguments of `ctl links`.

use clap::{Args, Subcommand};

use crate::{cli::ctl::hint::STREAM, config::value::time::Time};

#[derive(Args, Debug)]
#[command(after_help = "Example: mjpeg-server ctl links create garage --valid 1h")]
pub(crate) struct CtlLinks {
    /// What to do; without it, the links are listed
    #[command(subcommand)]
    pub(crate) command: Option<LinksCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LinksCommand {
    /// Make a link, and print it. It is not shown again
    #[command(after_help = "Example: mjpeg-server ctl links create garage --valid 1h --fps 5")]
    Create(CreateLink),
    /// List the links that are still good
    #[command(after_help = "Example: mjpeg-server ctl links list")]
    List,
    /// Revoke a link; whoever watches by it is disconnected
    #[command(after_help = "Example: mjpeg-server ctl links revoke 7Yw3kQ")]
    Revoke {
        /// The link, as "list" shows it
        // One in 64 begins with a hyphen.
        #[arg(allow_hyphen_values = true)]
        id: String,
    },
}

#[derive(Args, Debug)]
pub(crate) struct CreateLink {
    /// The stream
    #[arg(value_hint = STREAM)]
    pub(crate) name: String,

    /// How long the link is good, such as 30m or 1h
    #[arg(long, value_name = "TIME")]
    pub(crate) valid: Time,

    /// For single pictures instead of the stream
    #[arg(long)]
    pub(crate) snapshot: bool,

    /// The most frames per second that it gives
    #[arg(long, value_name = "N")]
    pub(crate) fps: Option<f64>,
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        command: LinksCommand,
    }

    #[test]
    fn link_whose_id_begins_with_a_hyphen_is_revoked() {
        let line = Line::try_parse_from(["ctl", "revoke", "-c6Uns"]).map(|line| line.command);
        assert!(matches!(line, Ok(LinksCommand::Revoke { id, .. }) if id == "-c6Uns"));
    }
}
