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
    /// Let another node read a camera; no viewer is cut
    #[command(after_help = "Example: mjpeg-server cluster move garage relay-2")]
    Move {
        /// The stream
        #[arg(value_hint = STREAM)]
        name: String,
        /// The node that is to read it
        node: String,
    },
    /// Hand all cameras of a node over to other nodes; no viewer is cut
    ///
    /// The node then reads no camera until "undrain", even if it is restarted. It still serves its
    /// viewers. A node that is stopped hands its cameras over by itself, and needs no drain.
    #[command(after_help = "Example: mjpeg-server cluster drain relay-2")]
    Drain {
        /// The node; without it, the node that gets the request
        node: Option<String>,
    },
    /// Let a node that was drained read cameras again
    #[command(after_help = "Example: mjpeg-server cluster undrain relay-2")]
    Undrain {
        /// The node; without it, the node that gets the request
        node: Option<String>,
    },
    /// Forget a node that is down and will not come back
    ///
    /// While a node is down, no new node can join, and if etcd is lost, the other nodes close their
    /// cameras: the missing node could be connected to them. Only forget a node that does not run
    /// any more.
    #[command(after_help = "Example: mjpeg-server cluster forget relay-3")]
    Forget {
        /// The node
        node: String,
    },
    /// Check whether a node could join with this configuration, before it is started
    #[command(after_help = "Example: mjpeg-server cluster join-check relay-3.toml")]
    JoinCheck {
        /// The configuration file [default: ./mjpeg.toml, else /etc/mjpeg-server/mjpeg.toml]
        #[arg(value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
    },
}

const HELP: &str = "\
Any node of the cluster can be asked. \"mjpeg-server ctl --help\" says how it is found without \
--url, and lists the exit codes. docs/cluster.md says how to set up a cluster.

Examples:
  mjpeg-server cluster status
  mjpeg-server cluster --url https://relay-1:8443 --user alice status";
