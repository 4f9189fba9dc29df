//! Kinds of failure, without details.

use std::fmt;

use super::{ConnectError, Error};

/// What keeps a camera offline, without details: fit to be shown to strangers.
///
/// An error's text names addresses, paths and programs of the operator, and may repeat what a
/// program or a camera said. From [`Error::kind`]. `Display` gives a sentence such as "the camera
/// cannot be reached".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// No connection can be made.
    Unreachable,
    /// The camera refuses the login, or asks for one.
    Login,
    /// The connection was closed, or broke.
    Closed,
    /// The camera is connected and sends nothing, or no whole picture.
    Silent,
    /// What the camera answers is neither a stream nor a picture.
    Unusable,
    /// A program could not be started, or has ended.
    Program,
    /// A file or socket of this machine cannot be opened, or holds no picture.
    File,
    /// This machine cannot listen where the camera is to connect to.
    Listen,
    /// The source is a relay that has lost its camera.
    RelayOffline,
    /// Something else: a source of another kind, or the system.
    Other,
}

impl FailureKind {
    /// Returns a stable word for machines: `unreachable`, `login`, `closed`, `silent`, `unusable`,
    /// `program`, `file`, `listen`, `relay_offline` or `other`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Login => "login",
            Self::Closed => "closed",
            Self::Silent => "silent",
            Self::Unusable => "unusable",
            Self::Program => "program",
            Self::File => "file",
            Self::Listen => "listen",
            Self::RelayOffline => "relay_offline",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreachable => "the camera cannot be reached",
            Self::Login => "the camera refuses the login",
            Self::Closed => "the camera closed the connection",
            Self::Silent => "the camera sends no pictures",
            Self::Unusable => "the camera's answer cannot be used",
            Self::Program => "the program failed",
            Self::File => "the file cannot be read",
            Self::Listen => "the camera's port cannot be listened at",
            Self::RelayOffline => "the relay has lost its camera",
            Self::Other => "the camera failed",
        })
    }
}

impl Error {
    /// Returns the kind of failure, which may be shown to strangers.
    ///
    /// ```
    /// use mjpeg_ingest::{Error, FailureKind};
    ///
    /// assert_eq!(Error::Closed.kind(), FailureKind::Closed);
    /// assert_eq!(Error::Closed.kind().as_str(), "closed");
    /// ```
    pub fn kind(&self) -> FailureKind {
        self.reason().kind()
    }
}

impl ConnectError {
    /// Returns the kind of failure, which may be shown to strangers.
    pub fn kind(&self) -> FailureKind {
        self.reason().kind()
    }
}
