//! What all sessions share.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::needs::Machine;

/// What every session needs to know.
pub(crate) struct Setting {
    /// The relay.
    pub(crate) program: PathBuf,
    pub(crate) machine: Machine,
    /// Where the scripts are that read as certain viewers do. They belong to the codec's tests.
    pub(crate) parsers: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) relay_arguments: Vec<String>,
}

/// A temporary folder, removed when dropped. All users can reach it, because one of the programs
/// does not run as root.
pub(crate) struct Temporary(pub(crate) PathBuf);

impl Temporary {
    pub(crate) fn new() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("mjpeg-compat-{}", std::process::id()));
        open_folder(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What cannot be removed is left in the system's folder for temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Makes a folder that all users may write into.
pub(crate) fn open_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777))?;
    Ok(())
}
