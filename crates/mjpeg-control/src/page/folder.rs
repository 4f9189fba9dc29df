//! An operator's own files.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
};

use super::config::PageConfig;

/// A folder of files that replace the built-in ones.
#[derive(Debug)]
pub(super) struct PageFolder {
    path: PathBuf,
    max_file_bytes: usize,
    /// Bytes that may still be held.
    held: Arc<Semaphore>,
}

/// Why there are no bytes.
#[derive(Debug)]
pub(super) enum Unread {
    /// There is no such file, or it is none that may be read.
    Missing,
    /// Too much is being sent already.
    TooMuch,
    /// It is too large, or the system reports an error.
    Failed,
}

/// A file's bytes, which count for as long as they are held.
struct HeldFile {
    bytes: Vec<u8>,
    _held: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for HeldFile {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl PageFolder {
    pub(super) fn new(config: &PageConfig) -> Self {
        let held = config.max_held_bytes().min(Semaphore::MAX_PERMITS);
        Self {
            path: config.folder().map(Path::to_path_buf).unwrap_or_default(),
            max_file_bytes: config.max_file_bytes(),
            held: Arc::new(Semaphore::new(held)),
        }
    }

    /// Reads a file on a thread that may block.
    pub(super) async fn read(&self, path: &str) -> Result<Bytes, Unread> {
        if !is_plain(path) {
            return Err(Unread::Missing);
        }
        // Until its size is known, it counts as the largest that there may be.
        let most = u32::try_from(self.max_file_bytes).unwrap_or(u32::MAX);
        let held = Arc::clone(&self.held).try_acquire_many_owned(most);
        let mut held = held.map_err(|_| Unread::TooMuch)?;
        let (folder, path) = (self.path.clone(), PathBuf::from(path));
        let reading = spawn_blocking(move || {
            let bytes = read_within(&folder, &path, most.into()).map_err(|error| {
                let name = path.display();
                match error.kind() {
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Unread::Missing,
                    _ => {
                        tracing::debug!(file = %name, %error, "file of the page not read");
                        Unread::Failed
                    }
                }
            })?;
            drop(held.split(held.num_permits().saturating_sub(bytes.len())));
            Ok(Bytes::from_owner(HeldFile { bytes, _held: held }))
        });
        reading.await.unwrap_or(Err(Unread::Failed))
    }
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
fn read_within(folder: &Path, path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let folder = folder.canonicalize()?;
    let path = folder.join(path).canonicalize()?;
    // Opening a pipe would wait for its other end.
    if !path.starts_with(&folder) || !fs::metadata(&path)?.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let file = File::open(&path)?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > most {
        true => Err(io::ErrorKind::FileTooLarge.into()),
        false => Ok(bytes),
    }
}

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
