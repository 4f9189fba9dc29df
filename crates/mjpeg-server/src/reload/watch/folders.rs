//! Folders whose entries change, as the kernel tells (inotify).
//!
//! Not by a crate that watches from a thread of its own: while there is one that shares this
//! process's table of files, each frame is dearer for the kernel. See [`crate::output`].

use std::{
    collections::BTreeSet,
    fs, io,
    os::fd::{AsFd, AsRawFd, RawFd},
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    sys::inotify::{AddWatchFlags, InitFlags, Inotify},
};
use tokio::io::{Interest, unix::AsyncFd};

/// Watches the folders of some files.
pub(super) struct FolderWatch(AsyncFd<Descriptor>);

struct Descriptor(Inotify);

impl AsRawFd for Descriptor {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

impl FolderWatch {
    /// Watches the folders of these files, not the files: an editor, or Kubernetes, puts another
    /// file in the place of the old one.
    #[allow(
        deprecated,
        reason = "the other way is unsafe; this descriptor stays open and the same, as it must"
    )]
    pub(super) fn new(paths: &BTreeSet<PathBuf>) -> io::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
        for folder in folders(paths).iter().take(MOST_FOLDERS) {
            inotify.add_watch(folder, changes())?;
        }
        let inotify = AsyncFd::with_interest(Descriptor(inotify), Interest::READABLE)?;
        Ok(Self(inotify))
    }

    /// Waits until something has changed in one of the folders.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(super) async fn changed(&mut self) -> io::Result<()> {
        loop {
            let mut ready = self.0.readable().await?;
            match ready.get_inner().0.read_events() {
                Ok(_) => return Ok(()),
                Err(Errno::EAGAIN) => ready.clear_ready(),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn changes() -> AddWatchFlags {
    AddWatchFlags::IN_CREATE
        | AddWatchFlags::IN_MODIFY
        | AddWatchFlags::IN_CLOSE_WRITE
        | AddWatchFlags::IN_ATTRIB
        | AddWatchFlags::IN_MOVE
        | AddWatchFlags::IN_DELETE
        | AddWatchFlags::IN_DELETE_SELF
        | AddWatchFlags::IN_MOVE_SELF
}

/// The folders in which something happens when one of the paths means another file, or its file
/// changes.
fn folders(paths: &BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
    let mut folders = BTreeSet::new();
    for path in paths {
        add(path, MOST_LINKS, &mut folders);
        if path.is_dir() {
            folders.insert(path.clone());
        }
    }
    folders
}

fn add(path: &Path, links: usize, folders: &mut BTreeSet<PathBuf>) {
    folders.insert(existing(parent(path)).to_owned());
    // The last part may be a link, or one before it: Kubernetes replaces a link to a folder.
    for part in path.ancestors() {
        let Ok(target) = fs::read_link(part) else {
            continue;
        };
        folders.insert(existing(parent(part)).to_owned());
        if links > 0 {
            let rest = path.strip_prefix(part).unwrap_or(Path::new(""));
            let target = parent(part).join(target);
            let target = match rest.as_os_str().is_empty() {
                true => target,
                false => target.join(rest),
            };
            add(&target, links - 1, folders);
        }
        break;
    }
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) => Path::new("."),
        None => path,
    }
}

/// The folder itself, or the first above it that exists: it may be made later.
fn existing(folder: &Path) -> &Path {
    let mut above = folder.ancestors();
    let existing = above.find(|folder| folder.is_dir());
    existing.unwrap_or(Path::new("."))
}

/// As the kernel follows at most, about.
const MOST_LINKS: usize = 16;

/// Of the user's 65,536 or more (`fs.inotify.max_user_watches`).
const MOST_FOLDERS: usize = 1024;
