//! The arguments of `demo`.

use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Demo {
    /// How many cameras to simulate, 1 to 64
    #[arg(
        long,
        value_name = "N",
        default_value_t = 4,
        value_parser = clap::value_parser!(u16).range(1..=64)
    )]
    pub(crate) cameras: u16,

    /// The port where all cameras are; each also has one of its own, after it. 0 takes free ports
    /// [default: 8080, or free ports where that is taken]
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,
}

// One line, for clap to wrap.
const HELP: &str = "\
URLs are printed to standard output, one per line: that of all cameras, then each camera's; open \
one in a browser. \
Only this machine can reach them. Ctrl-C, SIGTERM or SIGHUP ends the demo.";
