//! Files that only this user can have written, in one folder.

use std::{
    fs::File,
    io::{self, Read, Write},
    os::fd::OwnedFd,
    path::Path,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rustix::{
    fs::{AtFlags, FileType, Mode, OFlags, fstat, fsync, linkat, open, openat, renameat, unlinkat},
    io::Errno,
    process::geteuid,
};

use crate::{digest::random, error::LinkError};

/// A folder, by its descriptor: it stays the same one whatever happens to its path.
pub(crate) struct Folder(OwnedFd);

/// What happens to a file of the same name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    Replace,
    /// It stays, and writing fails with `AlreadyExists`.
    Keep,
}

impl Folder {
    pub(crate) fn open(path: &Path) -> Result<Self, LinkError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = open(path, flags, Mode::empty());
        folder
            .map(Self)
            .map_err(|error| io_error("the files", error))
    }

    /// Reads a file of at most this many bytes; `None` if there is none.
    pub(crate) fn read(&self, file: &'static str, most: u64) -> Result<Option<Vec<u8>>, LinkError> {
        let untrusted = |problem| LinkError::Untrusted { file, problem };
        // Non-blocking: it may be a pipe.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let opened = match openat(&self.0, file, flags, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP | Errno::MLINK) => return Err(untrusted("it is a symbolic link")),
            opened => opened.map_err(|error| io_error(file, error))?,
        };
        let stat = fstat(&opened).map_err(|error| io_error(file, error))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(untrusted("it is no file"));
        }
        if stat.st_uid != geteuid().as_raw() {
            return Err(untrusted("it belongs to another user"));
        }
        if stat.st_mode & 0o077 != 0 {
            return Err(untrusted("others may access it; chmod 600"));
        }
        let mut bytes = Vec::new();
        let mut opened = File::from(opened).take(most + 1);
        opened
            .read_to_end(&mut bytes)
            .map_err(|source| LinkError::Io { file, source })?;
        if bytes.len() as u64 > most {
            return Err(untrusted("it is too large"));
        }
        Ok(Some(bytes))
    }

    /// Writes a file as a whole: it is there with all its bytes, even after a power failure, or not
    /// at all.
    pub(crate) fn write(&self, file: &str, bytes: &[u8], existing: Existing) -> io::Result<()> {
        let temporary = format!(".{file}.{}", BASE64_URL_SAFE_NO_PAD.encode(random::<9>()));
        let written = self.write_at(&temporary, bytes).and_then(|()| {
            if existing == Existing::Replace {
                return Ok(renameat(&self.0, &*temporary, &self.0, file)?);
            }
            linkat(&self.0, &*temporary, &self.0, file, AtFlags::empty())?;
            Ok(())
        });
        if written.is_err() || existing == Existing::Keep {
            let _ = unlinkat(&self.0, &*temporary, AtFlags::empty());
        }
        written?;
        Ok(fsync(&self.0)?)
    }

    fn write_at(&self, file: &str, bytes: &[u8]) -> io::Result<()> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let mut file = File::from(openat(&self.0, file, flags, mode)?);
        file.write_all(bytes)?;
        file.sync_all()
    }
}

pub(crate) fn io_error(file: &'static str, error: impl Into<io::Error>) -> LinkError {
    let source = error.into();
    LinkError::Io { file, source }
}
