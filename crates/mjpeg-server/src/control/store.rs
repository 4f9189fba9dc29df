//! The files in which the API keeps its streams.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use mjpeg_control::{Error, ErrorCode};
use mjpeg_manager::StreamName;
use tempfile::NamedTempFile;

use crate::config::files::{API_MARK, is_included, shown};

/// The file of one stream.
pub(super) struct StreamFile(PathBuf);

/// A file that is written next to the one that it is to replace.
pub(super) struct PreparedFile {
    new: NamedTempFile,
    path: PathBuf,
    text: String,
}

impl StreamFile {
    /// A file that was read.
    pub(super) fn existing(path: PathBuf) -> Self {
        Self(path)
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
            Err(_) => Ok(Self(path)),
        }
    }

    /// Writes the text next to the file. Nothing has changed yet.
    pub(super) fn prepare(&self, text: &str) -> Result<PreparedFile, Error> {
        self.check().map_err(|reason| self.unusable(&reason))?;
        let prepare = || {
            let folder = self.0.parent().unwrap_or(Path::new("."));
            // Not even for a moment can others read it: it may hold passwords.
            let mut new = tempfile::Builder::new()
                .prefix(".stream-")
                .suffix(".new")
                .tempfile_in(folder)?;
            new.write_all(text.as_bytes())?;
            new.as_file().sync_all()?;
            Ok(PreparedFile {
                new,
                path: self.0.clone(),
                text: text.into(),
            })
        };
        prepare().map_err(|error: io::Error| {
            let folder = self.0.parent().map(shown).unwrap_or_default();
            not_persistent(format!("cannot write to {folder}: {error}"))
                .with_hint("make the folder writable for the relay, or add ?persist=false")
        })
    }

    /// Returns the file, if the API may touch it.
    pub(super) fn usable(self) -> Result<Self, Error> {
        self.check().map_err(|reason| self.unusable(&reason))?;
        Ok(self)
    }

    /// Removes the file, if it is still there.
    pub(super) fn remove(self) -> io::Result<()> {
        self.check()?;
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.and_then(|()| sync_folder(&self.0)),
        }
    }

    /// Whether this is a file that the API may touch: a link, or somebody else's file, may have
    /// been put in its place.
    fn check(&self) -> io::Result<()> {
        let metadata = match fs::symlink_metadata(&self.0) {
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
        let mut mark = Vec::new();
        let file = File::open(&self.0)?;
        file.take(API_MARK.len() as u64).read_to_end(&mut mark)?;
        match mark == API_MARK.as_bytes() {
            true => Ok(()),
            false => Err(io::Error::other("was written by somebody else")),
        }
    }

    fn unusable(&self, reason: &io::Error) -> Error {
        let path = shown(&self.0);
        Error::new(ErrorCode::DefinedInFile, format!("{path} {reason}"))
    }
}

impl PreparedFile {
    pub(super) fn path(&self) -> PathBuf {
        self.path.clone()
    }

    pub(super) fn text(&self) -> String {
        self.text.clone()
    }

    /// Puts the file in its place.
    pub(super) fn commit(self) -> io::Result<()> {
        StreamFile(self.path.clone()).check()?;
        self.new.persist(&self.path)?;
        sync_folder(&self.path)
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

fn not_persistent(detail: impl AsRef<str>) -> Error {
    Error::new(ErrorCode::NotPersistent, detail)
}
