//! Files that are safe on the disk when a function returns, and files that are what they seem.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use rustix::fs::OFlags;

/// Makes a folder that nobody else can read.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// Makes the entries of a folder safe: names that were added, changed or removed.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Opens a file that must exist, for reading and, if asked, for writing. Symbolic links, pipes and
/// the like are refused, and none of them makes the caller wait.
pub(crate) fn open_file(path: &Path, write: bool) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new()
        .read(true)
        .write(write)
        .custom_flags(flags.bits() as i32)
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a regular file",
        ));
    }
    Ok(file)
}

/// Reads a whole file, but of a longer one only one byte more than `most`.
pub(crate) fn read_file(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = open_file(path, false)?;
    file.take(most + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Makes a new file, safe except for its name.
pub(crate) fn new_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Replaces a file: whatever happens, afterwards it is the old one or the new one.
pub(crate) fn replace_file(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let new = folder.join(format!(".{name}.new"));
    // Whatever an interrupted replacement, or somebody else, has left.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let replaced = new_file(&new, bytes).and_then(|()| fs::rename(&new, folder.join(name)));
    if let Err(error) = replaced {
        // The next replacement removes it if this fails.
        let _ = fs::remove_file(&new);
        return Err(error);
    }
    sync_folder(folder)
}
