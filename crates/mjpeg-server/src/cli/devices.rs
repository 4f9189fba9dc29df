//! The arguments of `devices`.

use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Devices {
    /// Print the list as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

const HELP: &str = "\
A camera with MJPG or JPEG among its formats can be relayed as it is; formats in brackets cannot. \
\"source\" is the URL to give to --stream; what may follow it:

  v4l2:///dev/video0?size=1280x720&fps=30&brightness=128";
