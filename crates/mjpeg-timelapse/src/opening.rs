//! What is found in the folder of a store when it is opened.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustix::fs::{FlockOperation, OFlags, flock};

use crate::{
    durable::{make_folder, sync_folder},
    error::Error,
    id::TimelapseId,
    job::DamagedTimelapse,
    limits::JOB_BYTES,
    names::{DATA_NAME, DELETED_PREFIX, INDEX_NAME, LOCK_NAME, NEW_PREFIX},
    stored_job::StoredJob,
};

/// A job of the store.
#[derive(Debug, Clone)]
pub(crate) enum StoreEntry {
    Sound(Arc<StoredJob>),
    Damaged(DamagedTimelapse),
}

impl StoreEntry {
    /// Returns what it takes of the quota.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Sound(job) => job.show().bytes,
            Self::Damaged(damaged) => damaged.bytes,
        }
    }

    pub(crate) fn job(&self) -> Option<&Arc<StoredJob>> {
        match self {
            Self::Sound(job) => Some(job),
            Self::Damaged(_) => None,
        }
    }

    pub(crate) fn damaged(&self) -> Option<&DamagedTimelapse> {
        match self {
            Self::Sound(_) => None,
            Self::Damaged(damaged) => Some(damaged),
        }
    }
}

/// Makes the folder if it does not exist, and locks it for as long as the result is open. The lock
/// ends with the process, however that ends.
pub(crate) fn lock_folder(folder: &Path) -> Result<File, Error> {
    let made = match make_folder(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        // A relative path of one name is in the current folder.
        Ok(()) => match folder.parent() {
            Some(above) if above != Path::new("") => sync_folder(above),
            _ => sync_folder(Path::new(".")),
        },
    };
    made.map_err(Error::io("making the folder"))?;
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32)
        .open(folder.join(LOCK_NAME))
        .map_err(Error::io("locking the folder"))?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(lock),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::InUse {
            folder: folder.to_owned(),
        }),
        Err(errno) => Err(Error::io("locking the folder")(errno.into())),
    }
}

/// Reads all jobs, and removes what is not a job yet, or not any more.
pub(crate) fn read_entries(folder: &Path) -> io::Result<BTreeMap<TimelapseId, StoreEntry>> {
    let mut entries = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            continue;
        };
        let is_left_over = [NEW_PREFIX, DELETED_PREFIX].map(|prefix| name.starts_with(prefix));
        if is_left_over.contains(&true) {
            // It costs only room. The next opening tries again.
            let _ = fs::remove_dir_all(entry.path());
            continue;
        }
        // Links and files are not ours.
        let is_folder = entry.file_type()?.is_dir();
        if let (Ok(id), true) = (name.parse::<TimelapseId>(), is_folder) {
            entries.insert(id.clone(), read_entry(entry.path(), id));
        }
    }
    Ok(entries)
}

fn read_entry(folder: PathBuf, id: TimelapseId) -> StoreEntry {
    match StoredJob::load(folder.clone(), id.clone()) {
        Ok(job) => StoreEntry::Sound(Arc::new(job)),
        Err(damage) => StoreEntry::Damaged(DamagedTimelapse {
            id,
            reason: damage.line(),
            bytes: JOB_BYTES + length(&folder, DATA_NAME) + length(&folder, INDEX_NAME),
        }),
    }
}

/// Returns the length of a file, 0 if there is none.
fn length(folder: &Path, name: &str) -> u64 {
    let metadata = fs::symlink_metadata(folder.join(name)).ok();
    let file = metadata.filter(fs::Metadata::is_file);
    file.map_or(0, |file| file.len())
}
