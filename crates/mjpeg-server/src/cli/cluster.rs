//! The arguments of `cluster`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::ctl::{CtlConnection, hint::STREAM};

#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct ClusterArgs {
    #[command(subcommand)]
    pub(crate) command: ClusterCommand,

    /// Print what the API answers, as one JSON document
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) connection: CtlConnection,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ClusterCommand {
    /// Show the nodes, and which of them reads each camera
    #[command(after_help = "Example: mjpeg-server cluster status")]
    Status,
    /// Let another node read a camera; viewers stay
    #[command(after_help = "Example: mjpeg-server cluster move garage relay-2")]
    Move {
        /// The stream
        #[arg(value_hint = STREAM)]
        name: String,
        /// The node that is to read it
        node: String,
    },
    /// Hand all cameras of a node over to others; viewers stay
    ///
    /// The node takes no cameras until it is undrained, also after a restart. A node that is stopped
    /// hands its cameras over by itself, and needs no drain.
    #[command(after_help = "Example: mjpeg-server cluster drain relay-2")]
    Drain {
        /// The node; without it, the one that is asked
        node: Option<String>,
    },
    /// Let a node take cameras again
    #[command(after_help = "Example: mjpeg-server cluster undrain relay-2")]
    Undrain {
        /// The node; without it, the one that is asked
        node: Option<String>,
    },
    /// Forget a node that is down and will not come back
    ///
    /// While a node is down, no new one is admitted, and the others let go of their cameras when
    /// they lose etcd: the missing one could be connected to them. Only say this of a node that
    /// does not run any more.
    #[command(after_help = "Example: mjpeg-server cluster forget relay-3")]
    Forget {
        /// The node
        node: String,
    },
    /// Check whether a node can join with its configuration; it need not run
    #[command(after_help = "Example: mjpeg-server cluster join-check relay-3.toml")]
    JoinCheck {
        /// The configuration file [default: ./mjpeg.toml, else /etc/mjpeg-server/mjpeg.toml]
        #[arg(value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
    },
}

const HELP: &str = "\
The node that is asked is found as by \"mjpeg-server ctl --help\", which also lists the exit codes. \
docs/cluster.md says how to set up a cluster.

Examples:
  mjpeg-server cluster status
  mjpeg-server cluster --url https://relay-1:8443 --user alice status";
