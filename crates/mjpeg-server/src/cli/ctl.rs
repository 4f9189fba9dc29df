//! The arguments of `ctl`.

pub(crate) mod hint;
pub(crate) mod links;
pub(crate) mod recordings;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use self::{
    hint::STREAM,
    links::CtlLinks,
    recordings::{CtlClip, CtlTimelapse},
};

/// Help on keys and values, behind an example.
macro_rules! keys_help {
    ($example:literal) => {
        concat!(
            $example,
            "\n\nA VALUE is true or false, a number, a list, table or quoted text as JSON, or else \
             text as it stands. A key that is given more than once is a list. ",
            "\"mjpeg-server config --example\" explains the keys."
        )
    };
}

#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Ctl {
    #[command(subcommand)]
    pub(crate) command: CtlCommand,

    /// Print what the API answers, as one JSON document; events one object per line
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) connection: CtlConnection,
}

/// Where the relay is, and who asks. No environment variable belongs to these arguments: a socket
/// on the command line must beat a URL in the environment.
#[derive(Args, Debug)]
#[command(next_help_heading = "Connection")]
pub(crate) struct CtlConnection {
    /// The relay's URL, such as https://cameras:8443; else MJPEG_CTL_URL
    #[arg(long, global = true, value_name = "URL", conflicts_with = "socket")]
    pub(crate) url: Option<String>,

    /// The relay's control socket
    #[arg(long, global = true, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(crate) socket: Option<PathBuf>,

    /// A file with the token to show, "-" for standard input; else MJPEG_CTL_TOKEN
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "user")]
    pub(crate) token_file: Option<PathBuf>,

    /// The user to log in as. The password is asked for at the terminal
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) user: Option<String>,

    /// A file with the user's password, "-" for standard input
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,

    /// The SHA-256 of the certificate to trust, as "mjpeg-server cert" prints it; without it, the
    /// authorities that this machine trusts
    #[arg(long, global = true, value_name = "SHA256")]
    pub(crate) fingerprint: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CtlCommand {
    /// List the streams
    #[command(visible_alias = "ls", after_help = "Example: mjpeg-server ctl list")]
    List {
        /// Print the names alone, one per line
        #[arg(long)]
        names: bool,
    },
    /// Show all that is known of a stream
    #[command(after_help = "Example: mjpeg-server ctl show garage")]
    Show(StreamArgument),
    /// Add a stream
    #[command(after_help = ADD_HELP)]
    Add(CtlAdd),
    /// Change keys of a stream; its viewers stay
    #[command(after_help = SET_HELP)]
    Set(CtlSet),
    /// Remove streams; their viewers are disconnected
    #[command(after_help = "Example: mjpeg-server ctl remove garage door")]
    Remove {
        #[command(flatten)]
        streams: StreamArguments,
        #[command(flatten)]
        storage: StorageArguments,
    },
    /// Disconnect cameras until they are resumed; viewers stay
    #[command(after_help = "Example: mjpeg-server ctl pause garage")]
    Pause(StreamArguments),
    /// Connect cameras that were paused
    #[command(after_help = "Example: mjpeg-server ctl resume garage")]
    Resume(StreamArguments),
    /// Try to reach cameras now, instead of when the next attempt is due
    #[command(after_help = "Example: mjpeg-server ctl retry garage")]
    Retry(StreamArguments),
    /// Say what a stream's camera is, what is odd about it, and what to set; it is not connected to
    /// again
    #[command(after_help = "Example: mjpeg-server ctl probe garage")]
    Probe(StreamArgument),
    /// List who is watching
    #[command(after_help = "Example: mjpeg-server ctl viewers garage")]
    Viewers {
        /// The stream; without it, all that you may control
        #[arg(value_hint = STREAM)]
        name: Option<String>,
    },
    /// Disconnect viewers
    #[command(after_help = "Example: mjpeg-server ctl kick garage:17")]
    Kick {
        /// The viewers, as "viewers" lists them
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
    /// Show what has happened, as far as the relay still knows, or what happens from now on
    #[command(after_help = "Example: mjpeg-server ctl events --follow garage")]
    Events {
        /// Print events as they happen, until Ctrl-C; a relay that restarts is found again
        #[arg(long, short)]
        follow: bool,
        /// The stream; without it, all
        #[arg(value_hint = STREAM)]
        name: Option<String>,
    },
    /// Read the configuration again; if it is wrong, nothing changes
    #[command(after_help = "Example: mjpeg-server ctl reload --dry-run")]
    Reload {
        /// Only say what would change
        #[arg(long)]
        dry_run: bool,
    },
    /// Make, list and revoke links by which somebody may watch for a while
    Links(CtlLinks),
    /// Keep a picture now and then on the relay's disk, and make a movie of them
    Timelapse(CtlTimelapse),
    /// Keep clips of a stream's last pictures on the relay's disk
    Clip(CtlClip),
    /// Show what the relay is, and how much it does
    #[command(after_help = "Example: mjpeg-server ctl info --json")]
    Info,
}

#[derive(Args, Debug)]
pub(crate) struct CtlAdd {
    /// What the stream is to be called: 1 to 64 letters, digits, '_' or '-'
    pub(crate) name: String,

    /// The URL of the camera, or "-" to read it from standard input, where no other user of this
    /// machine sees a password in it
    pub(crate) source: String,

    #[command(flatten)]
    pub(crate) keys: KeyArguments,

    /// Add it even if the camera does not answer now
    #[arg(long)]
    pub(crate) retry: bool,

    /// Only say what is wrong, without trying the camera, and add nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Add it for all nodes of the cluster. A password in it must be ${env:NAME} or ${file:PATH},
    /// which "references" of [cluster] must list on each node
    #[arg(long, conflicts_with = "no_persist")]
    pub(crate) cluster: bool,

    #[command(flatten)]
    pub(crate) storage: StorageArguments,
}

#[derive(Args, Debug)]
pub(crate) struct CtlSet {
    #[command(flatten)]
    pub(crate) stream: StreamArgument,

    #[command(flatten)]
    pub(crate) keys: KeyArguments,

    /// Only say what is wrong, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) storage: StorageArguments,
}

/// A stream that is there.
#[derive(Args, Debug)]
pub(crate) struct StreamArgument {
    /// The stream
    #[arg(value_hint = STREAM)]
    pub(crate) name: String,
}

/// Streams that are there.
#[derive(Args, Debug)]
pub(crate) struct StreamArguments {
    /// The streams
    #[arg(required = true, value_name = "NAME", value_hint = STREAM)]
    pub(crate) names: Vec<String>,
}

/// What is to be set. Read by hand, because an error of the parser would repeat the value.
#[derive(Args, Debug)]
pub(crate) struct KeyArguments {
    /// Keys and their values
    #[arg(value_name = "KEY=VALUE")]
    pub(crate) keys: Vec<String>,
}

/// Whether a change is stored.
#[derive(Args, Debug)]
pub(crate) struct StorageArguments {
    /// Do not store it: it holds until the relay ends, or a reload touches the stream
    #[arg(long)]
    pub(crate) no_persist: bool,
}

// Lines end where they should; clap wraps those that are too long for a terminal.
const HELP: &str = "\
Where the relay is: --socket or --url; else MJPEG_CTL_URL; else the control socket of a relay of \
this user or of this machine; else http://127.0.0.1:8080. A control socket asks for no password. \
At a URL, its [[listen]] must hold serve = [\"control\"], and beyond this machine there must be \
users.

Exit codes:
  0  done
  1  the relay refused, and said why, or its answer was not understood, or a file was not written
  2  the command line is wrong
  3  no relay could be reached
  4  there is no such stream, viewer, link, time-lapse or clip
  5  not allowed: a password, token or right is missing or wrong
Of several streams or viewers, all are tried; the code is that of the first that failed.

Examples:
  mjpeg-server ctl list
  mjpeg-server ctl --url https://cameras:8443 --user alice viewers garage";

const ADD_HELP: &str = keys_help!(
    "\
Examples:
  mjpeg-server ctl add garage http://192.168.1.20/video on_demand=true
  mjpeg-server ctl add door - --retry < url-with-password
  mjpeg-server ctl add yard tcp://yard:6001 fallback=tcp://a:1 fallback=tcp://b:1"
);

const SET_HELP: &str = keys_help!(
    "\
A KEY= without a value removes the key, so that its default holds.

Examples:
  mjpeg-server ctl set garage max_viewers=20 stall_limit=30s
  mjpeg-server ctl set garage max_viewers= view='[\"alice\"]'"
);
