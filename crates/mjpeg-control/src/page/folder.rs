//! An operator's own files.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use tokio::{
    sync::{Mutex as AsyncMutex, OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
    time::{Instant, timeout_at},
};

use super::config::PageConfig;

/// A folder of files that replace the built-in ones.
#[derive(Debug)]
pub(super) struct PageFolder {
    path: PathBuf,
    max_file_bytes: u64,
    /// Bytes that may still be held.
    held: Arc<Semaphore>,
    /// The files that are being read or sent.
    files: Mutex<HashMap<FileVersion, Arc<SharedFile>>>,
}

/// Why there are no bytes.
#[derive(Debug)]
pub(super) enum Unread {
    /// There is no such file, or it is none that may be read.
    Missing,
    /// Too much is being sent, for longer than a request waits.
    TooMuch,
    /// It is too large, or the system reports an error.
    Failed,
}

/// What tells a file's content from any other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct FileVersion {
    /// Where it is, without links.
    path: PathBuf,
    /// When it was changed, if the system knows.
    modified: Option<SystemTime>,
    len: u64,
}

/// A file's bytes, while somebody holds them. Locked while they are read.
type SharedFile = AsyncMutex<Weak<FileBytes>>;

/// Bytes that count for as long as they are held.
#[derive(Debug)]
struct FileBytes {
    bytes: Vec<u8>,
    _held: OwnedSemaphorePermit,
}

/// One answer's share in them.
struct HeldShare(Arc<FileBytes>);

impl AsRef<[u8]> for HeldShare {
    fn as_ref(&self) -> &[u8] {
        &self.0.bytes
    }
}

/// Room for bytes that are about to be held.
pub(super) struct HeldRoom(OwnedSemaphorePermit);

impl HeldRoom {
    /// Counts the bytes for as long as they are held.
    pub(super) fn hold(self, bytes: Vec<u8>) -> Bytes {
        let held = FileBytes {
            bytes,
            _held: self.0,
        };
        Bytes::from_owner(HeldShare(Arc::new(held)))
    }
}

impl PageFolder {
    pub(super) fn new(config: &PageConfig) -> Self {
        let held = config.max_held_bytes().min(Semaphore::MAX_PERMITS);
        Self {
            path: config.folder().map(Path::to_path_buf).unwrap_or_default(),
            max_file_bytes: config.max_file_bytes() as u64,
            held: Arc::new(Semaphore::new(held)),
            files: Mutex::default(),
        }
    }

    /// Reads a file on a thread that may block. All who hold the same version of it share its
    /// bytes, which count once.
    pub(super) async fn read(&self, path: &str) -> Result<Bytes, Unread> {
        if !is_plain(path) {
            return Err(Unread::Missing);
        }
        match self.read_once(path).await {
            // A file that is being replaced is there the next moment.
            Err(Unread::Failed) => self.read_once(path).await,
            read => read,
        }
    }

    async fn read_once(&self, path: &str) -> Result<Bytes, Unread> {
        let deadline = Instant::now() + LONGEST_WAIT;
        let (folder, name, most) = (self.path.clone(), path.to_owned(), self.max_file_bytes);
        let version = blocking(path, move || version_within(&folder, &name, most)).await?;
        let shared = self.shared(&version);
        // The first one reads it, and the others wait for that.
        let locked = timeout_at(deadline, shared.lock()).await;
        let mut shared = locked.map_err(|_| Unread::TooMuch)?;
        if let Some(held) = shared.upgrade() {
            return Ok(Bytes::from_owner(HeldShare(held)));
        }
        let HeldRoom(room) = self.room_until(version.len, deadline).await?;
        // The thread keeps the room even if nobody waits for it any more.
        let reading = blocking(path, move || {
            let bytes = read_version(&version)?;
            Ok(Arc::new(FileBytes { bytes, _held: room }))
        });
        let held = reading.await?;
        *shared = Arc::downgrade(&held);
        Ok(Bytes::from_owner(HeldShare(held)))
    }

    /// Waits for room for so many bytes, but not for long.
    pub(super) async fn room(&self, bytes: usize) -> Result<HeldRoom, Unread> {
        self.room_until(bytes as u64, Instant::now() + LONGEST_WAIT)
            .await
    }

    async fn room_until(&self, bytes: u64, deadline: Instant) -> Result<HeldRoom, Unread> {
        let permits = u32::try_from(bytes).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.held).acquire_many_owned(permits);
        match timeout_at(deadline, room).await {
            Ok(Ok(room)) => Ok(HeldRoom(room)),
            _ => Err(Unread::TooMuch),
        }
    }

    fn shared(&self, version: &FileVersion) -> Arc<SharedFile> {
        // Nothing under this lock can panic.
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        // Forget those that nobody reads or holds any more.
        files.retain(|_, file| {
            let is_held = || file.try_lock().is_ok_and(|held| held.strong_count() > 0);
            Arc::strong_count(file) > 1 || is_held()
        });
        Arc::clone(files.entry(version.clone()).or_default())
    }
}

/// Does what may block, for this file.
async fn blocking<T: Send + 'static>(
    path: &str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Unread> {
    let done = spawn_blocking(work).await.map_err(|_| Unread::Failed)?;
    done.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Unread::Missing,
        _ => {
            tracing::debug!(file = %path, %error, "file of the page not read");
            Unread::Failed
        }
    })
}

/// Whether these are names of files as a page needs them. What is hidden stays hidden, and no name
/// leads out of the folder.
fn is_plain(path: &str) -> bool {
    let is_name = |name: &str| {
        let is_letter = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        !name.is_empty() && !name.starts_with('.') && name.bytes().all(is_letter)
    };
    path.len() <= LONGEST_PATH && path.split('/').all(is_name)
}

/// A file that is in this folder, wherever links point to.
fn version_within(folder: &Path, name: &str, most: u64) -> io::Result<FileVersion> {
    let folder = folder.canonicalize()?;
    let path = folder.join(name).canonicalize()?;
    let metadata = fs::metadata(&path)?;
    // Opening a pipe would wait for its other end.
    if !path.starts_with(&folder) || !metadata.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    if metadata.len() > most {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(FileVersion {
        path,
        modified: metadata.modified().ok(),
        len: metadata.len(),
    })
}

/// The bytes of this version of a file. Fails if it has been changed.
fn read_version(version: &FileVersion) -> io::Result<Vec<u8>> {
    let mut file = File::open(&version.path)?;
    let mut bytes = Vec::with_capacity(usize::try_from(version.len).unwrap_or_default());
    (&mut file).take(version.len + 1).read_to_end(&mut bytes)?;
    let metadata = file.metadata()?;
    let is_same = metadata.modified().ok() == version.modified && metadata.len() == version.len;
    if !is_same || bytes.len() as u64 != version.len {
        return Err(io::Error::other("changed while it was read"));
    }
    Ok(bytes)
}

/// How long a request waits for others to be sent.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

const LONGEST_PATH: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere_else() {
        for path in ["page.js", "img/logo.svg", "a-b_c.1.css"] {
            assert!(is_plain(path), "{path}");
        }
        let long = "a".repeat(LONGEST_PATH + 1);
        for path in [
            "",
            "/etc/passwd",
            "../x.js",
            "a/../x.js",
            "a//x.js",
            "a/",
            ".git/x.js",
            ".x.js",
            "a/.x.js",
            "a\\x.js",
            "a%2f.js",
            "a\0.js",
            "C:x.js",
            "a b.js",
            &long,
        ] {
            assert!(!is_plain(path), "{path}");
        }
    }
}
