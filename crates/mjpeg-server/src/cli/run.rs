//! The arguments of `run`.

use std::{collections::BTreeMap, path::PathBuf, str::FromStr};

use clap::{ArgMatches, Args, Command, parser::ValueSource};
use mjpeg_manager::{StreamName, mjpeg_ingest::Source};

use super::{
    camera_args::CameraArgs,
    log_args::LogArgs,
    stream_arg::StreamFlag,
    viewer_args::{PortArgs, ProcessArgs, ViewerArgs},
};
use crate::{
    config::{
        layer::{Layer, ValueOrigin},
        resolve::overrides::{FallbackFlag, Overrides},
    },
    secrets::expanded,
};

#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Run {
    /// The configuration file
    #[arg(short, long, env = "MJPEG_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// A stream: its name, its camera, and the port on which viewers get it. Repeat for more
    ///
    /// NAME is 1 to 64 letters, digits, '_' or '-'. URL is a camera that sends JPEG pictures one
    /// after another: most often http://HOST/PATH or tcp://HOST:PORT; the others are listed below.
    /// Viewers open http://THIS_MACHINE:PORT/; without ADDR the port is open on all interfaces. In
    /// MJPEG_STREAM each line is one.
    #[arg(
        long = "stream",
        env = "MJPEG_STREAM",
        hide_env_values = true,
        value_name = "NAME=URL[@[ADDR:]PORT]",
        value_delimiter = '\n'
    )]
    pub(crate) streams: Vec<StreamFlag>,

    /// A camera to use while a stream's first one has no pictures. Repeat for more, in order of
    /// preference; the stream goes back when the first one is stable again
    #[arg(
        long = "fallback",
        env = "MJPEG_FALLBACK",
        hide_env_values = true,
        value_name = "NAME=URL",
        value_delimiter = '\n'
    )]
    pub(crate) fallbacks: Vec<FallbackArg>,

    /// Where each value came from, by the key that it sets.
    #[arg(skip)]
    origins: BTreeMap<String, ValueOrigin>,

    // Last, because their help headings would apply to the arguments after them.
    #[command(flatten)]
    pub(crate) cameras: CameraArgs,

    #[command(flatten)]
    pub(crate) viewers: ViewerArgs,

    #[command(flatten)]
    pub(crate) ports: PortArgs,

    #[command(flatten)]
    pub(crate) process: ProcessArgs,
}

impl Run {
    /// Notes which values came from flags, and which from the environment.
    pub(super) fn note_origins(&mut self, command: &Command, matches: &ArgMatches) {
        for arg in command.get_arguments() {
            let flag = arg.get_long().map(|long| format!("--{long}"));
            let variable = arg.get_env().and_then(|name| name.to_str());
            let origin = match matches.value_source(arg.get_id().as_str()) {
                Some(ValueSource::CommandLine) => flag.map(ValueOrigin::Flag),
                Some(ValueSource::EnvVariable) => {
                    variable.map(|name| ValueOrigin::Environment(name.into()))
                }
                _ => None,
            };
            let key = arg.get_id().to_string();
            self.origins.extend(origin.map(|origin| (key, origin)));
        }
    }

    /// What the arguments set, with those about the log.
    pub(crate) fn overrides(&self, log: &LogArgs) -> Overrides {
        let origin = |key: &str| {
            let known = self.origins.get(key).cloned();
            known.unwrap_or_else(|| ValueOrigin::Flag(format!("--{}", key.replace('_', "-"))))
        };
        let streams = self.streams.iter().map(|stream| {
            let origin = || origin("streams");
            let mut layer = Layer::default();
            layer.set("name", stream.name.as_str(), origin());
            layer.set("source", stream.url.as_str(), origin());
            if let Some(listen) = stream.listen {
                layer.set("listen", listen.to_string(), origin());
            }
            layer
        });
        let fallbacks = self.fallbacks.iter().map(|fallback| FallbackFlag {
            stream: fallback.stream.clone(),
            url: fallback.url.clone(),
            origin: origin("fallbacks"),
        });
        Overrides {
            process: Layer::of(&self.process, origin).under(&Layer::of(log, origin)),
            defaults: Layer::of(&self.cameras, origin).under(&Layer::of(&self.viewers, origin)),
            listen: Layer::of(&self.ports, origin),
            streams: streams.collect(),
            fallbacks: fallbacks.collect(),
        }
    }
}

/// A fallback as one argument: `NAME=URL`.
#[derive(Clone)]
pub(crate) struct FallbackArg {
    stream: StreamName,
    /// Before `${…}` in it is replaced.
    url: String,
}

impl std::fmt::Debug for FallbackArg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("FallbackArg").field(&self.stream).finish()
    }
}

impl FromStr for FallbackArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let split = text.split_once('=');
        let (name, url) = split.ok_or("write NAME=URL; the '=' is missing")?;
        let stream: StreamName = name.parse().map_err(|error| format!("{error}"))?;
        let source = expanded(url).map_err(|error| format!("{error:#}"))?;
        source
            .parse::<Source>()
            .map_err(|error| error.to_string())?;
        let url = url.into();
        Ok(Self { stream, url })
    }
}

// Each paragraph is one line, for clap to wrap; an example is short enough not to be.
const HELP: &str = "\
Examples:
  mjpeg-server run --stream garage=tcp://192.168.1.100:6001@8081
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
  ${credential:NAME}      a credential that systemd passes (LoadCredential=NAME:PATH)

Configuration:
  mjpeg-server config --example   prints a file with every key; without --config and --stream,
                          ./mjpeg.toml or else /etc/mjpeg-server/mjpeg.toml is read. A flag beats
                          the file's [defaults], and a stream's own key beats the flag. Each flag
                          may be an environment variable: MJPEG_MAX_VIEWERS for --max-viewers

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
  rtsp://HOST/PATH        speaks RTSP and sends M-JPEG, over the same connection, also rtsps://;
                          logs in, and has times and certificates as options, as http:// does
  tcp-listen://ADDR:PORT  connects to us, at this address; :PORT is all addresses. If it becomes
                          silent, another one that sends a picture takes over
  http-listen://ADDR:PORT/PATH#token=SECRET
                          sends its pictures to us by POST or PUT, one per request or as a
                          multipart stream, with Authorization: Bearer SECRET or ?token=SECRET;
                          #open instead of the token lets everybody send. Cameras share a port
                          by different paths
  push:                   whose pictures users with the right push send to POST /NAME/push
  unix:///PATH            sends to whoever connects to this socket
  file:///PATH            a recording, or a picture that a program replaces: read again and again
                          at 30 frames per second; ?fps=N sets the rate, ?once plays it once
  v4l2:///dev/video0      a camera of this machine that makes JPEG images (\"mjpeg-server devices\"
                          lists them); ?size=1280x720, ?fps=30, and its controls by name, such as
                          ?brightness=128; it may be unplugged and plugged in again
  test:                   a moving test picture; ?name=N, ?size=640x480, ?fps=15
  exec:PROGRAM ARGS       what a program writes. No shell is used, but quotes work. The program is
                          killed with all its children when the relay ends, or is killed

The URLs of the streams are printed to standard output, one per line. A camera that goes away \
is retried indefinitely; viewers keep its last picture, and after a while see what is wrong. \
SIGHUP reads the configuration file again, and so does a change of it with --watch. Ctrl-C or \
SIGTERM ends the relay; without a file, so does SIGHUP.";
