//! The arguments of `run`.

use clap::{Args, ValueEnum};

use super::{
    camera_args::CameraArgs,
    stream_arg::{InvalidStreamArg, StreamArg},
    viewer_args::ViewerArgs,
};
use crate::secrets::expanded;

#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Run {
    /// A stream: its name, its camera, and a port of its own if it is to have one. Repeat for more
    ///
    /// NAME is 1 to 64 letters, digits, '_' or '-'. URL is a camera that sends JPEG pictures one
    /// after another: most often http://HOST/PATH or tcp://HOST:PORT; below are the others. Viewers
    /// open http://THIS_MACHINE:PORT/; without ADDR the port is open on all interfaces. Where a
    /// stream has no port, viewers open http://THIS_MACHINE:8080/NAME/, and all streams are there.
    #[arg(
        long = "stream",
        value_name = "NAME=URL[@[ADDR:]PORT]",
        required = true,
        value_parser = stream
    )]
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

    /// Threads that serve viewers. One is cheapest; add more when one core cannot serve them all
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        value_parser = clap::value_parser!(u16).range(1..=256)
    )]
    pub(crate) worker_threads: u16,

    // Last, because their help headings would apply to the arguments after them.
    #[command(flatten)]
    pub(crate) cameras: CameraArgs,

    #[command(flatten)]
    pub(crate) viewers: ViewerArgs,
}

/// Reads a stream whose URL may take secrets from elsewhere.
fn stream(text: &str) -> Result<StreamArg, String> {
    let expand = |url: &str| expanded(url).map_err(|error| Reason(format!("{error:#}")));
    StreamArg::read(text, expand).map_err(|Reason(reason)| reason)
}

/// Why an argument cannot be used.
struct Reason(String);

impl From<InvalidStreamArg> for Reason {
    fn from(error: InvalidStreamArg) -> Self {
        Self(error.to_string())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Repair {
    /// Insert the standard Huffman tables where a camera leaves them out; without them, Safari
    /// paints nothing
    HuffmanTables,
    /// Remove metadata that contain a picture, such as Exif thumbnails; some viewers show that one
    /// instead
    EmbeddedMarkers,
    /// Append the end marker where a camera leaves it out
    Eoi,
    /// Relay pictures byte for byte
    None,
}

// Each paragraph is one line, for clap to wrap; an example is short enough not to be.
const HELP: &str = "\
Examples:
  mjpeg-server run --stream garage=tcp://192.168.1.100:6001@8081
  mjpeg-server run --stream garage=tcp://cam-a:6001 --stream door=http://cam-b/video
  mjpeg-server run --stream a=tcp://cam-a:6001@8081 \\
                   --stream b=tcp://cam-b:6001@127.0.0.1:8082
  mjpeg-server run --stream door=http://me:secret@cam-b/video@8082
  mjpeg-server run --stream \"yard=exec:ffmpeg -i rtsp://cam/1 -f mjpeg -@8083\"

Secrets (everybody on this machine can read the command line):
  ${env:NAME}             in a URL is the value of an environment variable,
  ${file:PATH}            the content of a file, without its last line end. Both are encoded as
                          USER:PASSWORD requires; elsewhere they are inserted unchanged.
                          Quote them for the shell:
                          --stream 'door=http://me:${file:/run/secrets/door}@cam-b/video@8082'

Cameras:
  tcp://HOST:PORT         sends to whoever connects; #connect_timeout=TIME (5s) and
                          #stall_limit=TIME (silence, 10s), also behind tcp-listen://
  http://HOST/PATH        speaks HTTP, also https://: a multipart stream, or a picture that is
                          asked for again and again; http://USER:PASSWORD@HOST/PATH
                          logs in. Options, separated by '&': #fps=N (pictures a second, 2)
                          or #poll_interval=TIME, #header=NAME:VALUE,
                          #ca=/FILE.pem (whose certificate to trust), #insecure (trust any),
                          #answer_timeout=TIME (30s), #login_retry=TIME (after a refused
                          password, 5m), and those of tcp://. A TIME is 500ms, 10s, 5m or 1h
  tcp-listen://ADDR:PORT  connects to us, at this address; :PORT is all addresses. If it becomes
                          silent, another one that sends a picture takes over
  unix:///PATH            sends to whoever connects to this socket
  file:///PATH            a recording, or a picture that a program replaces: read again and again
                          at 30 frames per second; ?fps=N sets the rate, ?once plays it once
  test:                   a moving test picture; ?name=N, ?size=640x480, ?fps=15
  exec:PROGRAM ARGS       what a program writes. No shell is used, but quotes work. The program is
                          killed with all its children when the relay ends, or is killed

The URLs of the streams are printed to standard output, one per line. A camera that goes away \
is retried indefinitely; viewers keep its last picture, and after a while see what is wrong. \
Ctrl-C, SIGTERM or SIGHUP ends the relay.";
