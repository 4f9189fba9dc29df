//! `mjpeg-server ctl`: the real program against a running relay, or against what pretends to be
//! one.

mod completions;
mod events;
mod hostile;
mod links;
mod output;
mod recordings;
mod refused;
mod secured;
mod streams;
mod terminal;
mod walkthrough;

use std::{
    net::SocketAddr,
    process::{Command, Output},
};

use mjpeg_auth::{hash_password, hash_token};
use serde_json::Value;

use crate::{
    folder::Folder,
    process::{Server, command},
};

/// A relay with a control socket, a gateway, and a folder where the API may write. Its streams are
/// `garage`, of a file, and `yard`, which has no camera.
pub(crate) struct ControlledRelay {
    server: Server,
    folder: Folder,
}

/// What a command has printed, and its exit code.
#[derive(Debug)]
pub(crate) struct Done {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl ControlledRelay {
    fn start() -> Self {
        Self::start_with("serve = [\"streams\", \"page\", \"control\"]\n")
    }

    /// Starts one whose gateway has these keys, behind which sections may follow.
    fn start_with(gateway: &str) -> Self {
        let folder = Folder::new();
        folder.write("streams.d/.keep", "");
        folder.write("run/.keep", "");
        let config = format!(
            "include = [\"streams.d/*.toml\"]\n{STREAMS}[control]\nallow = [\"127.0.0.0/8\"]\n\
             [[listen]]\naddress = \"127.0.0.1:0\"\n{gateway}"
        );
        let file = folder.write("mjpeg.toml", config);
        let mut command = command(&["run", "-c", &file]);
        command
            .env("RUNTIME_DIRECTORY", folder.path().join("run"))
            .env("STATE_DIRECTORY", folder.path().join("state"));
        let mut server = Server::of(command, 1);
        server.stderr_until("listener=control");
        Self { server, folder }
    }

    /// A command over the socket, which it finds by itself.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = ctl(args);
        command.env("RUNTIME_DIRECTORY", self.folder.path().join("run"));
        command
    }

    /// Runs a command over the socket.
    fn ctl(&self, args: &[&str]) -> Done {
        Done::of(self.command(args))
    }

    /// Runs a command that must be done, and returns what it prints.
    fn done(&self, args: &[&str]) -> String {
        let done = self.ctl(args);
        assert_eq!(done.code, Some(0), "{args:?}: {done:?}");
        done.stdout
    }

    /// Runs a command that must be done, and returns the document that it prints.
    fn json(&self, args: &[&str]) -> Value {
        let text = self.done(&[&["--json"], args].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    fn addr(&self) -> SocketAddr {
        let url = self.url();
        let (_, authority) = url.split_once("://").expect("a URL");
        authority.parse().expect("an address and a port")
    }

    /// The gateway's URL.
    fn url(&self) -> String {
        // Without the page, the first one that is printed is that of a stream.
        let parts: Vec<&str> = self.server.urls[0].split('/').take(3).collect();
        parts.join("/")
    }
}

impl Done {
    fn of(mut command: Command) -> Self {
        let Output {
            status,
            stdout,
            stderr,
        } = command.output().expect("the program runs");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self {
            code: status.code(),
            stdout: text(stdout),
            stderr: text(stderr),
        }
    }

    /// Runs a command at this URL.
    fn at(url: &str, args: &[&str]) -> Self {
        Self::of(ctl(&[&["--url", url], args].concat()))
    }

    #[track_caller]
    fn fails(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is not in {self:?}");
        }
    }
}

/// The command, with nothing of this machine's environment that says where a relay is.
fn ctl(args: &[&str]) -> Command {
    let mut command = command(&[&["ctl"], args].concat());
    for variable in ["MJPEG_CTL_URL", "MJPEG_CTL_TOKEN", "COLUMNS"] {
        command.env_remove(variable);
    }
    command
}

/// The sections of a user who may do everything, with a password and a token.
fn users() -> String {
    let (password, token) = (hash_password(PASSWORD), hash_token(TOKEN));
    format!(
        "[[users]]\nname = \"alice\"\npassword_hash = '{password}'\nmay = [\"view\", \"control\"]\n\
         [[users]]\nname = \"robot\"\ntoken_hash = '{token}'\nmay = [\"view\", \"control\"]\n\
         [[users]]\nname = \"guest\"\ntoken_hash = '{}'\n",
        hash_token(GUEST)
    )
}

const PASSWORD: &str = "open sesame";
const TOKEN: &str = "robots-only-0123456789";
const GUEST: &str = "guests-may-look-0123456789";

const STREAMS: &str = "\
[[streams]]
name = \"garage\"
source = \"test:?fps=20\"
[[streams]]
name = \"yard\"
source = \"tcp://127.0.0.1:1\"
";
