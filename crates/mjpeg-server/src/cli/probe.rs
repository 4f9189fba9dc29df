//! The arguments of `probe`.

use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Probe {
    /// The URL of the camera, or "-" to read it from standard input, where no other user of this
    /// machine sees a password in it
    #[arg(value_name = "URL")]
    pub(crate) url: String,

    /// Print the findings as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

// Lines end where they should; clap wraps those that are too long for a terminal.
const HELP: &str = "\
It connects to this URL, and where the camera redirects to, looks at the pictures for some \
seconds, and connects a second time meanwhile, to see what the camera does with two clients. It \
takes at most 15 s. Then it says what the camera is, what is odd about it, what to set, and how the configuration would be. \
A password is not shown.

A stream that runs already is looked at without a second connection: mjpeg-server ctl probe NAME

Exit codes:
  0  the camera can be relayed
  1  it cannot, and the findings say why
  2  the command line is wrong

Examples:
  mjpeg-server probe http://192.168.1.20/video
  mjpeg-server probe 'http://viewer:${env:PASSWORD}@192.168.1.20/video'
  mjpeg-server probe --json tcp://192.168.1.100:6001
  mjpeg-server probe - < url-with-password";
