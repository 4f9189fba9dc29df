//! The arguments of `ctl timelapse` and `ctl clip`.

use std::{
    path::PathBuf,
    str::FromStr,
    time::{Duration, SystemTime},
};

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use crate::{cli::ctl::hint::STREAM, config::value::time::Time};

#[derive(Args, Debug)]
#[command(after_help = TIMELAPSE_HELP)]
pub(crate) struct CtlTimelapse {
    /// What to do; without it, the time-lapses are listed
    #[command(subcommand)]
    pub(crate) command: Option<TimelapseCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TimelapseCommand {
    /// List the time-lapses, and how far they are
    #[command(after_help = "Example: mjpeg-server ctl timelapse list")]
    List,
    /// Start a time-lapse, and print its id
    #[command(after_help = START_HELP)]
    Start(StartTimelapse),
    /// Keep the next picture now, whether one is due or not
    #[command(after_help = FRAME_HELP)]
    Frame(AskedTimelapse),
    /// End a time-lapse; its frames stay
    #[command(after_help = FINISH_HELP)]
    Finish(AskedTimelapse),
    /// Download the movie, also of a time-lapse that is running
    #[command(after_help = GET_HELP)]
    Get(GetTimelapse),
    /// Delete a time-lapse with all its frames
    #[command(after_help = "Example: mjpeg-server ctl timelapse remove t-7yw3kq")]
    Remove(RecordingArgument),
}

#[derive(Args, Debug)]
pub(crate) struct StartTimelapse {
    /// The stream
    #[arg(value_hint = STREAM)]
    pub(crate) name: String,

    /// The time from one frame to the next, such as 10s or 5m; without it, a frame is kept only
    /// when "frame" asks for it
    #[arg(long, value_name = "TIME")]
    pub(crate) every: Option<Time>,

    /// What it shows, for people
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,

    /// When it ends: "2026-12-24T18:00:00Z", "2026-12-24 18:00" as this machine's clock shows it,
    /// or "+8h" from now; without it, "finish" ends it
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<EndTime>,

    /// The most frames: with them, it ends
    #[arg(long, value_name = "N")]
    pub(crate) max_frames: Option<u64>,

    /// The frames per second of its movie, unless "get" says otherwise
    #[arg(long, value_name = "N")]
    pub(crate) fps: Option<u32>,
}

#[derive(Args, Debug)]
#[command(after_help = CLIP_HELP)]
pub(crate) struct CtlClip {
    /// What to do; without it, the clips are listed
    #[command(subcommand)]
    pub(crate) command: Option<ClipCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ClipCommand {
    /// Keep a clip of a stream's last pictures on the relay, and print its id
    #[command(after_help = KEEP_HELP)]
    Keep(KeepClip),
    /// List the clips that are kept
    #[command(after_help = "Example: mjpeg-server ctl clip list")]
    List,
    /// Download a clip
    #[command(after_help = "Example: mjpeg-server ctl clip get c-7yw3kq -o postman.mov")]
    Get(GetRecording),
    /// Delete a clip
    #[command(after_help = "Example: mjpeg-server ctl clip remove c-7yw3kq")]
    Remove(RecordingArgument),
}

#[derive(Args, Debug)]
pub(crate) struct KeepClip {
    /// The stream
    #[arg(value_hint = STREAM)]
    pub(crate) name: String,

    /// Its first moment: "-30s" for so long ago, seconds since 1970, or "2026-12-24T18:00:00Z"
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) from: String,

    /// Its last moment, written like the first, or up to 30 seconds ahead, such as "+10s"; without
    /// it, now
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) to: Option<String>,

    /// What it shows, for people
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
}

/// One that is there.
#[derive(Args, Debug)]
pub(crate) struct RecordingArgument {
    /// Its id, as "list" shows it
    #[arg(value_hint = ValueHint::Other)]
    pub(crate) id: String,
}

/// One time-lapse, or those of a stream that keep a frame only when they are asked to.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct AskedTimelapse {
    /// Its id, as "list" shows it
    #[arg(value_hint = ValueHint::Other)]
    pub(crate) id: Option<String>,

    /// Instead of one: all of this stream that are running and were started without --every
    #[arg(long, value_name = "NAME", value_hint = STREAM)]
    pub(crate) stream: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct GetTimelapse {
    #[command(flatten)]
    pub(crate) recording: GetRecording,

    /// The frames per second of the movie; without it, as it was started
    #[arg(long, value_name = "N")]
    pub(crate) fps: Option<u32>,
}

/// What is downloaded, and where it goes.
#[derive(Args, Debug)]
pub(crate) struct GetRecording {
    #[command(flatten)]
    pub(crate) recording: RecordingArgument,

    /// The file or folder to write to, "-" for standard output; without it, a file here that is
    /// called as the relay proposes
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) output: Option<PathBuf>,

    /// What kind of file: zip holds the pictures as JPEGs, mjpeg is the bare stream
    #[arg(long, value_name = "KIND", value_enum, default_value_t)]
    pub(crate) format: MovieKind,

    /// Replace a file that is there
    #[arg(long)]
    pub(crate) force: bool,
}

/// A kind of file.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum MovieKind {
    #[default]
    Mov,
    Avi,
    Zip,
    Mjpeg,
}

impl MovieKind {
    /// How the names of such files end.
    pub(crate) fn ending(self) -> &'static str {
        match self {
            Self::Mov => "mov",
            Self::Avi => "avi",
            Self::Zip => "zip",
            Self::Mjpeg => "mjpeg",
        }
    }
}

/// When something is to end, as the command line has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum EndTime {
    At(Timestamp),
    In(Duration),
}

impl EndTime {
    /// The time, if it is now this late. `None` if no calendar goes so far.
    pub(crate) fn from(self, now: SystemTime) -> Option<Timestamp> {
        match self {
            Self::At(time) => Some(time),
            Self::In(wait) => Timestamp::try_from(now.checked_add(wait)?).ok(),
        }
    }
}

impl FromStr for EndTime {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        if let Some(wait) = text.strip_prefix('+') {
            let wait = wait.parse::<Time>().map_err(|_| NO_TIME)?;
            return Ok(Self::In(wait.0));
        }
        if let Ok(time) = text.parse::<Timestamp>() {
            return Ok(Self::At(time));
        }
        let local = text.parse::<DateTime>().map_err(|_| NO_TIME)?;
        let zoned = local.to_zoned(TimeZone::system()).map_err(|_| NO_TIME)?;
        Ok(Self::At(zoned.timestamp()))
    }
}

const NO_TIME: &str = "expected a time such as 2026-12-24T18:00:00Z, \"2026-12-24 18:00\" or +8h";

const TIMELAPSE_HELP: &str = "\
A time-lapse keeps a picture of a stream now and then on the relay's disk, across restarts, until \
its end, its number of frames, or \"finish\". Its movie can be downloaded at any time.

Examples:
  mjpeg-server ctl timelapse start garage --every 10s --title \"The shelf is built\"
  mjpeg-server ctl timelapse
  mjpeg-server ctl timelapse get t-7yw3kq -o shelf.mov";

const START_HELP: &str = "\
Examples:
  A frame a minute until Christmas Eve, shown at 30 frames per second:
    mjpeg-server ctl timelapse start garage --every 1m --until \"2026-12-24 18:00\" --fps 30
  A thousand frames, 5 seconds apart:
    mjpeg-server ctl timelapse start garage --every 5s --max-frames 1000
  A frame for each layer of a 3D printer, which calls \"frame\":
    mjpeg-server ctl timelapse start printer --title \"Vase\"
    mjpeg-server ctl timelapse frame --stream printer";

const FRAME_HELP: &str = "\
Examples:
  mjpeg-server ctl timelapse frame t-7yw3kq
  mjpeg-server ctl timelapse frame --stream printer";

const FINISH_HELP: &str = "\
Examples:
  mjpeg-server ctl timelapse finish t-7yw3kq
  mjpeg-server ctl timelapse finish --stream printer";

const GET_HELP: &str = "\
Examples:
  mjpeg-server ctl timelapse get t-7yw3kq
  mjpeg-server ctl timelapse get t-7yw3kq --format zip -o pictures.zip
  mjpeg-server ctl timelapse get t-7yw3kq --fps 60 --format avi -o - | ffplay -";

const CLIP_HELP: &str = "\
A clip is a copy of a stream's last pictures, which are in the relay's memory for as long as \
\"replay\" of the stream says. It stays on the relay's disk until it is removed.

Examples:
  mjpeg-server ctl clip keep door --from -30s --title Postman
  mjpeg-server ctl clip
  mjpeg-server ctl clip get c-7yw3kq";

const KEEP_HELP: &str = "\
Examples:
  mjpeg-server ctl clip keep door --from -30s
  mjpeg-server ctl clip keep door --from -10s --to +10s --title Postman
  mjpeg-server ctl clip keep door --from 2026-12-24T18:00:00Z --to 2026-12-24T18:01:30Z";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn end_is_a_time_of_the_world_of_this_machine_or_so_far_from_now() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let end = |text: &str| text.parse::<EndTime>().map(|end| end.from(now));
        let at = |text: &str| Ok(Some(text.parse::<Timestamp>().unwrap()));
        let christmas = "2026-12-24T18:00:00Z";
        assert_eq!(end(christmas), at(christmas));
        assert_eq!(end("2026-12-24T19:00:00+01:00"), at(christmas));
        assert_eq!(end("+90m"), at("2027-01-15T09:30:00Z"));
        let local: DateTime = "2026-12-24T18:00:00".parse().unwrap();
        let local = local.to_zoned(TimeZone::system()).unwrap().timestamp();
        assert_eq!(end("2026-12-24 18:00"), Ok(Some(local)));
        for text in ["", "+", "8h", "soon", "+-1s", "2026-13-01T00:00:00Z"] {
            assert_eq!(end(text), Err(NO_TIME), "{text}");
        }
    }
}
