//! Notices that files of the configuration may have changed.

#[cfg(target_os = "linux")]
mod folders;

use std::{
    collections::BTreeSet,
    fs::{self, File},
    hash::{DefaultHasher, Hasher},
    io::{self, Read},
    path::PathBuf,
    time::Duration,
};

use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tracing::warn;

#[cfg(target_os = "linux")]
use self::folders::FolderWatch;

/// Waits for changes near some files.
pub(super) struct Watcher {
    #[cfg(target_os = "linux")]
    folders: Option<FolderWatch>,
    /// Something may have changed since the contents were last compared.
    is_dirty: bool,
}

impl Watcher {
    /// Watches these files and folders. They count as changed at first, since that may have
    /// happened before.
    pub(super) fn new(paths: &BTreeSet<PathBuf>) -> Self {
        #[cfg(target_os = "linux")]
        let folders = FolderWatch::new(paths)
            .inspect_err(|error| warn!(%error, "cannot watch the configuration; looking every 2 s"))
            .ok();
        #[cfg(not(target_os = "linux"))]
        let _ = paths;
        Self {
            #[cfg(target_os = "linux")]
            folders,
            is_dirty: true,
        }
    }

    /// Waits until something may have changed, and then until it rests for a moment: files are
    /// written in several steps.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(super) async fn changed(&mut self) {
        if !self.is_dirty {
            self.event().await;
            self.is_dirty = true;
        }
        let latest = Instant::now() + LONGEST_UNREST;
        while Instant::now() < latest {
            let rest = (Instant::now() + REST).min(latest);
            if timeout_at(rest, self.event()).await.is_err() {
                return;
            }
            // Each event is one of a batch.
            sleep_until((Instant::now() + BATCH).min(latest)).await;
        }
    }

    /// The contents were compared.
    pub(super) fn compared(&mut self) {
        self.is_dirty = false;
    }

    async fn event(&mut self) {
        #[cfg(target_os = "linux")]
        if let Some(folders) = &mut self.folders {
            match folders.changed().await {
                Ok(()) => return,
                Err(error) => {
                    warn!(%error, "cannot watch the configuration; looking every 2 s");
                    self.folders = None;
                }
            }
        }
        sleep(POLL_INTERVAL).await;
    }
}

/// Hashes what the files contain and the folders list, so that only a change of that counts.
pub(super) fn fingerprint(paths: &BTreeSet<PathBuf>) -> u64 {
    let mut hasher = DefaultHasher::new();
    for path in paths {
        hasher.write(path.as_os_str().as_encoded_bytes());
        match contents(path) {
            Ok(bytes) => {
                hasher.write_usize(bytes.len());
                hasher.write(&bytes);
            }
            Err(error) => hasher.write(format!("{:?}", error.kind()).as_bytes()),
        }
    }
    hasher.finish()
}

fn contents(path: &PathBuf) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    let mut bytes = Vec::new();
    if metadata.is_dir() {
        let entries = fs::read_dir(path)?.take(MOST_ENTRIES);
        let mut names: Vec<_> = entries
            .filter_map(|entry| Some(entry.ok()?.file_name()))
            .collect();
        names.sort();
        for name in names {
            bytes.extend_from_slice(name.as_encoded_bytes());
            bytes.push(0);
        }
    } else if metadata.is_file() {
        File::open(path)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
    }
    // A pipe can be read once, and was.
    Ok(bytes)
}

/// How long nothing may happen before the files are compared.
const REST: Duration = Duration::from_millis(200);

/// After which time they are compared although things go on happening.
const LONGEST_UNREST: Duration = Duration::from_secs(3);

/// How long events are collected before they are read, so that a busy folder costs little.
const BATCH: Duration = Duration::from_millis(50);

/// How often the files are compared where nothing tells of changes.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// More than a file of the configuration may have.
const MOST_BYTES: u64 = 16 << 20;

/// The most entries of a folder that are looked at.
const MOST_ENTRIES: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprint_is_of_contents_and_names() {
        let folder = std::env::temp_dir().join(format!("mjpeg-watch-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("a");
        let paths = BTreeSet::from([folder.clone(), file.clone(), folder.join("missing")]);
        fs::write(&file, "one").unwrap();
        let first = fingerprint(&paths);
        fs::write(&file, "one").unwrap();
        assert_eq!(fingerprint(&paths), first, "written again");
        fs::write(&file, "two").unwrap();
        assert_ne!(fingerprint(&paths), first);
        fs::write(&file, "one").unwrap();
        assert_eq!(fingerprint(&paths), first);
        fs::write(folder.join("b"), "").unwrap();
        assert_ne!(fingerprint(&paths), first, "another file");
        fs::remove_dir_all(&folder).unwrap();
    }
}
