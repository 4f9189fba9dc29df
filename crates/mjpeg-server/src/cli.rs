//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use mjpeg_manager::mjpeg_codec::repair::Repairs;
use tracing_subscriber::filter::Targets;

use crate::{StreamArg, camera_args::CameraArgs, telemetry, viewer_args::ViewerArgs};

/// Relays Motion-JPEG cameras: connects to each camera once and serves its pictures over HTTP to any number of viewers.
///
/// To see pictures without a camera: mjpeg-server demo
#[derive(Debug, Parser)]
#[command(name = "mjpeg-server", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// What to log, to standard error: error, warn, info, debug or trace, also per module (info,mjpeg_http=debug)
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
    #[command(after_help = RUN_HELP)]
    Run(Box<Run>),
    /// Show pictures without a camera: made-up cameras, relayed like real ones
    #[command(after_help = DEMO_HELP)]
    Demo(Demo),
}

#[derive(Args, Debug)]
pub(crate) struct Run {
    /// A stream: its name, its camera, and the port on which viewers get it. Repeat for more
    ///
    /// NAME is 1 to 64 letters, digits, '_' or '-'. URL is a camera that sends JPEG pictures one after another: most often
    /// http://HOST/PATH or tcp://HOST:PORT; below are the others. Viewers open http://THIS_MACHINE:PORT/; without ADDR the port is open on
    /// all interfaces.
    #[arg(long = "stream", value_name = "NAME=URL@[ADDR:]PORT", required = true)]
    pub(crate) streams: Vec<StreamArg>,

    /// Fail if a camera cannot be reached at the start, instead of trying again until it can
    #[arg(long)]
    pub(crate) require_cameras: bool,

    /// What to repair in pictures that need it, separated by commas; no pixel changes
    #[arg(
        long,
        value_name = "LIST",
        value_enum,
        value_delimiter = ',',
        default_values_t = [Repair::HuffmanTables, Repair::EmbeddedMarkers, Repair::Eoi]
    )]
    pub(crate) repair: Vec<Repair>,

    #[command(flatten)]
    pub(crate) cameras: CameraArgs,

    #[command(flatten)]
    pub(crate) viewers: ViewerArgs,

    /// How many threads serve viewers. One is the cheapest per viewer; more are for more viewers than one core can serve
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) worker_threads: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Repair {
    /// Insert the standard Huffman tables where a camera leaves them out; without them, Safari paints nothing
    HuffmanTables,
    /// Take out metadata that hold a picture of their own, such as Exif thumbnails; some viewers show that instead
    EmbeddedMarkers,
    /// Append the end marker where a camera leaves it out
    Eoi,
    /// Relay pictures byte for byte
    None,
}

impl Run {
    pub(crate) fn repairs(&self) -> Repairs {
        let chosen = |repair| self.repair.contains(&repair);
        if chosen(Repair::None) {
            return Repairs::NONE;
        }
        Repairs::NONE
            .with_huffman_tables(chosen(Repair::HuffmanTables))
            .with_embedded_markers(chosen(Repair::EmbeddedMarkers))
            .with_eoi(chosen(Repair::Eoi))
    }
}

#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// How many cameras to make up, 1 to 64
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) cameras: u16,

    /// The first camera's port for viewers; the others take the ports after it. 0 takes free ports [default: 8081, or
    /// free ports where that is taken]
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,
}

// Each paragraph is one line, for clap to wrap; an example is short enough not to be.
const RUN_HELP: &str = "\
Examples:
  mjpeg-server run --stream garage=tcp://192.168.1.100:6001@8081
  mjpeg-server run --stream a=tcp://cam-a:6001@8081 \\
                   --stream b=tcp://cam-b:6001@127.0.0.1:8082
  mjpeg-server run --stream door=http://me:secret@cam-b/video@8082
  mjpeg-server run --stream \"yard=exec:ffmpeg -i rtsp://cam/1 -f mjpeg -@8083\"

Cameras:
  tcp://HOST:PORT         sends to whoever connects
  http://HOST/PATH        speaks HTTP, also https://: a multipart stream, or a picture that is
                          asked for again and again; http://USER:PASSWORD@HOST/PATH
                          logs in. Behind it, separated by '&': #fps=N (pictures a second, 2),
                          #header=NAME:VALUE, #ca=/FILE.pem (whose certificate to trust)
                          and #insecure (trust any)
  tcp-listen://ADDR:PORT  connects to us, at this address; :PORT is all addresses
  unix:///PATH            sends to whoever connects to this socket
  file:///PATH            a recording, played again and again at 30 frames per second;
                          ?fps=N sets the rate, ?once ends it at its end
  test:                   a moving test picture; ?name=N, ?size=640x480, ?fps=15
  exec:PROGRAM ARGS       what a program writes; no shell reads the words, but quotes work

The URLs of the streams are printed to standard output, one per line. A camera that goes away is tried again \
for ever, and viewers keep their picture meanwhile, then see what is wrong. Ctrl-C or SIGTERM ends the relay.";

const DEMO_HELP: &str = "\
The URLs of the streams are printed to standard output, one per line; open one in a browser. Only this machine \
can reach them. Ctrl-C or SIGTERM ends the demo.";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn repairs_are_what_was_listed() {
        let repairs = |args: &[&str]| {
            let start = ["mjpeg-server", "run", "--stream", "a=tcp://a:1@8081"];
            let cli = Cli::try_parse_from(start.iter().chain(args)).unwrap();
            let Command::Run(run) = cli.command else {
                panic!("not run")
            };
            run.repairs()
        };
        assert_eq!(repairs(&[]), Repairs::RECOMMENDED);
        assert_eq!(repairs(&["--repair", "none"]), Repairs::NONE);
        let two = Repairs::NONE.with_huffman_tables(true).with_eoi(true);
        assert_eq!(repairs(&["--repair", "huffman-tables,eoi"]), two);
        let one = Repairs::NONE.with_embedded_markers(true);
        assert_eq!(repairs(&["--repair", "embedded-markers"]), one);
    }
}
