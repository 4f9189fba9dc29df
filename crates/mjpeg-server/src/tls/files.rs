//! The files of a certificate.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::error::TlsError;

/// Where a certificate and its key are, both in PEM format, and whether clients need one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsFiles {
    /// The certificate, followed by those that vouch for it, if any.
    pub certificate: PathBuf,
    /// Its private key, without a passphrase.
    pub key: PathBuf,
    /// Whether clients are asked for a certificate of theirs, which they need not have. Default:
    /// no. Its fingerprint may be a user's; nobody needs to have signed it.
    pub asks_clients: bool,
}

impl TlsFiles {
    /// Names the two files.
    pub fn new(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self {
            certificate: certificate.into(),
            key: key.into(),
            asks_clients: false,
        }
    }

    /// Sets whether clients are asked for a certificate of theirs.
    pub fn with_client_certificates(mut self, asks: bool) -> Self {
        self.asks_clients = asks;
        self
    }

    /// How the files look from outside; `None` for one that is not there.
    pub(super) fn states(&self) -> [Option<FileState>; 2] {
        [&self.certificate, &self.key].map(|path| FileState::of(path))
    }
}

/// How a file looks from outside. It differs when the file was replaced or written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileState {
    modified: Option<SystemTime>,
    length: u64,
    #[cfg(unix)]
    id: (u64, u64),
}

impl FileState {
    fn of(path: &Path) -> Option<Self> {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt;

        let file = fs::metadata(path).ok()?;
        Some(Self {
            modified: file.modified().ok(),
            length: file.len(),
            #[cfg(unix)]
            id: (file.dev(), file.ino()),
        })
    }
}

/// Reads a whole file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|source| TlsError::Read {
            path: path.into(),
            source,
        })?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(TlsError::TooLarge {
            path: path.into(),
            most: MAX_FILE_BYTES,
        });
    }
    Ok(bytes)
}

/// Whether every user of the machine may read a file.
pub(super) fn is_exposed(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;

        fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o004 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

/// A chain of certificates has a few kilobytes.
const MAX_FILE_BYTES: u64 = 1 << 20;
