//! What a configuration of another program says, in our terms.

use std::net::SocketAddr;

use mjpeg_manager::mjpeg_ingest::escaped;

use super::kind::MigrateKind;

/// The cameras of one or more configurations.
#[derive(Default)]
pub(super) struct Inventory {
    /// What they were called, and the program.
    files: Vec<(String, MigrateKind)>,
    pub(super) cameras: Vec<FoundCamera>,
    /// Cameras that cannot be relayed: what they are called, and why not.
    pub(super) lost: Vec<(String, String)>,
    /// Ports that serve all streams.
    pub(super) listens: Vec<FoundListen>,
    /// What else is not carried over, for people.
    pub(super) notes: Vec<String>,
}

/// A camera that can be relayed, or perhaps can.
#[derive(Default)]
pub(super) struct FoundCamera {
    /// The wanted name, which may be no name of ours.
    pub(super) name: String,
    /// Where it stands, for people: `[cam 1]`.
    pub(super) place: String,
    pub(super) source: ForeignSource,
    pub(super) fallback: Vec<ForeignSource>,
    /// Its own port.
    pub(super) listen: Option<SocketAddr>,
    /// Further keys, with their values in TOML.
    pub(super) keys: Vec<(&'static str, String)>,
    /// The only one who may watch.
    pub(super) login: Option<ViewerLogin>,
    /// What must hold for it to be relayed, if that is not known.
    pub(super) condition: Option<String>,
    /// What is not carried over, and what is different.
    pub(super) notes: Vec<String>,
}

/// A camera's URL, or a program with its arguments, with marks for variables. No `Debug`: it may
/// hold a password.
#[derive(Clone, PartialEq)]
pub(super) enum ForeignSource {
    Url(String),
    Command(Vec<String>),
}

impl Default for ForeignSource {
    fn default() -> Self {
        Self::Url(String::new())
    }
}

/// A user name and a password of viewers. No `Debug`: it holds a password.
#[derive(Clone, PartialEq)]
pub(super) struct ViewerLogin {
    pub(super) user: String,
    /// `None` if it is empty, or in a variable whose value is not known.
    pub(super) password: Option<String>,
}

impl ViewerLogin {
    pub(super) fn new(user: &str, password: &str) -> Self {
        let name = password
            .strip_prefix('$')
            .map(|rest| rest.trim_start_matches('{'));
        let is_variable =
            name.is_some_and(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()));
        Self {
            user: user.into(),
            password: (!is_variable && !password.is_empty()).then(|| password.into()),
        }
    }
}

/// A port, or a Unix socket, that serves all streams.
pub(super) struct FoundListen {
    pub(super) at: FoundAddress,
    /// The place in `cameras` of the one that `/` gives.
    pub(super) default: Option<usize>,
    pub(super) base_path: Option<String>,
    pub(super) notes: Vec<String>,
}

pub(super) enum FoundAddress {
    Tcp(SocketAddr),
    Unix { path: String, mode: Option<String> },
}

impl Inventory {
    /// Adds what a file says.
    pub(super) fn add(&mut self, name: &str, kind: MigrateKind, mut found: Self) {
        self.files.push((name.into(), kind));
        let before = self.cameras.len();
        for mut listen in found.listens {
            listen.default = listen.default.map(|at| at + before);
            self.listens.push(listen);
        }
        self.cameras.append(&mut found.cameras);
        self.lost.append(&mut found.lost);
        self.notes.append(&mut found.notes);
    }

    /// Adds a camera that is not relayed.
    pub(super) fn lose(&mut self, camera: impl Into<String>, why: impl Into<String>) {
        self.lost.push((camera.into(), why.into()));
    }

    /// Whether there are as many cameras as are read.
    pub(super) fn is_full(&mut self) -> bool {
        let is_full = self.cameras.len() + self.lost.len() >= MOST_CAMERAS;
        let note = format!("only the first {MOST_CAMERAS} cameras of a file are read");
        if is_full && !self.notes.contains(&note) {
            self.notes.push(note);
        }
        is_full
    }

    /// The files with their programs, for people.
    pub(super) fn file_names(&self) -> String {
        let files = self.files.iter();
        let files = files.map(|(name, kind)| format!("{} ({})", escaped(name), kind.program()));
        files.collect::<Vec<_>>().join(", ")
    }
}

/// The most cameras of one file.
const MOST_CAMERAS: usize = 1000;
