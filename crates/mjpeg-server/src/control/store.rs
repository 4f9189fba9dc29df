//! The files in which the API keeps its streams.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use mjpeg_control::{Error, ErrorCode};
use mjpeg_manager::StreamName;
use tempfile::NamedTempFile;

use crate::config::{
    files::{TextFile, is_included, shown},
    layer::Layer,
    read::document::streams_of,
    report::Report,
};

/// The file of one stream.
pub(super) struct StreamFile {
    path: PathBuf,
    stream: StreamName,
}

/// A file that is written next to the one that it is to replace.
pub(super) struct PreparedFile {
    new: NamedTempFile,
    file: StreamFile,
}

impl StreamFile {
    /// A file that was read.
    pub(super) fn existing(path: PathBuf, stream: StreamName) -> Self {
        Self { path, stream }
    }

    /// The file of a new stream, in the first folder whose files are included.
    pub(super) fn new(includes: &[PathBuf], stream: &StreamName) -> Result<Self, Error> {
        let mut paths = includes.iter().filter_map(|pattern| {
            let path = pattern.parent()?.join(format!("{stream}.toml"));
            let is_pattern = pattern.file_name()?.to_str()?.contains('*');
            (is_pattern && is_included(&path, pattern)).then_some(path)
        });
        let path = paths.next().ok_or_else(|| {
            not_persistent("there is no folder for the streams of the API").with_hint(
                "add include = [\"streams.d/*.toml\"] to the configuration file and make the \
                 folder, or add ?persist=false",
            )
        })?;
        match fs::symlink_metadata(&path) {
            Ok(_) => {
                let path = shown(&path);
                Err(Error::new(
                    ErrorCode::DefinedInFile,
                    format!("{path} exists already, and is not of this stream"),
                ))
            }
            Err(_) => Ok(Self::existing(path, stream.clone())),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Checks that the file could be written, without leaving anything.
    pub(super) fn probe(&self) -> Result<(), Error> {
        self.check().map_err(|reason| self.unusable(&reason))?;
        match tempfile::tempfile_in(self.folder()) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.unwritable(&error)),
        }
    }

    /// Writes the text next to the file. Nothing has changed yet.
    pub(super) fn prepare(self, text: &str) -> Result<PreparedFile, Error> {
        self.check().map_err(|reason| self.unusable(&reason))?;
        let write = || {
            // Not even for a moment can others read it: it may hold passwords.
            let mut new = tempfile::Builder::new()
                .prefix(".stream-")
                .suffix(".new")
                .tempfile_in(self.folder())?;
            new.write_all(text.as_bytes())?;
            new.as_file().sync_all()?;
            Ok(new)
        };
        let new = write().map_err(|error: io::Error| self.unwritable(&error))?;
        Ok(PreparedFile { new, file: self })
    }

    /// Returns the file, if the API may touch it.
    pub(super) fn usable(self) -> Result<Self, Error> {
        self.check().map_err(|reason| self.unusable(&reason))?;
        Ok(self)
    }

    /// Removes the file, if it is still there.
    pub(super) fn remove(self) -> io::Result<()> {
        self.check()?;
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.and_then(|()| sync_folder(&self.path)),
        }
    }

    /// Whether this is a file that the API may touch: a link, somebody else's file, or further
    /// streams may have been put in its place.
    fn check(&self) -> io::Result<()> {
        let metadata = match fs::symlink_metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            metadata => metadata?,
        };
        if !metadata.is_file() {
            return Err(io::Error::other("is no regular file"));
        }
        #[cfg(unix)]
        if std::os::unix::fs::MetadataExt::uid(&metadata) != rustix::process::geteuid().as_raw() {
            return Err(io::Error::other("belongs to another user"));
        }
        let file = TextFile::read(&self.path)?;
        if !file.is_of_api() {
            return Err(io::Error::other("was written by somebody else"));
        }
        self.check_streams(&file.text)
    }

    /// Whether the file holds this stream alone. The text of others would be lost.
    fn check_streams(&self, text: &str) -> io::Result<()> {
        let mut report = Report::default();
        let streams = streams_of("API", text, &mut report);
        if report.has_errors() {
            return Err(io::Error::other("was changed by somebody, and has errors"));
        }
        let is_this = |layer: &Layer| {
            let name = layer.entries.get("name");
            name.and_then(|entry| entry.value.as_str()) == Some(self.stream.as_str())
        };
        match streams.len() < 2 && streams.iter().all(is_this) {
            true => Ok(()),
            false => Err(io::Error::other(
                "holds other streams, too, which the API would lose",
            )),
        }
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    fn unwritable(&self, error: &io::Error) -> Error {
        let folder = self.path.parent().map(shown).unwrap_or_default();
        not_persistent(format!("cannot write to {folder}: {error}"))
            .with_hint("make the folder writable for the relay, or add ?persist=false")
    }

    fn unusable(&self, reason: &io::Error) -> Error {
        let path = shown(&self.path);
        let hint = "change it by hand and reload, or give each of its streams a file of its own; \
                    ?persist=false changes a stream for this run only";
        Error::new(ErrorCode::DefinedInFile, format!("{path} {reason}")).with_hint(hint)
    }
}

impl PreparedFile {
    /// Puts the file in its place.
    pub(super) fn commit(self) -> io::Result<()> {
        self.file.check()?;
        self.new.persist(&self.file.path)?;
        sync_folder(&self.file.path)
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

fn not_persistent(detail: impl AsRef<str>) -> Error {
    Error::new(ErrorCode::NotPersistent, detail)
}
