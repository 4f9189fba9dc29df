//! What all sessions share, and what one viewer is started with.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::needs::Machine;

/// What all sessions share.
pub(crate) struct Setting {
    /// The relay.
    pub(crate) program: PathBuf,
    pub(crate) machine: Machine,
    /// The folder of the scripts that read as certain viewers do. They belong to the codec's tests.
    pub(crate) parsers: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) relay_arguments: Vec<String>,
}

/// What one viewer is started with.
pub(crate) struct Launch<'s> {
    pub(crate) url: String,
    /// The viewer's own folder, empty at first.
    pub(crate) folder: PathBuf,
    pub(crate) machine: &'s Machine,
}

/// Creates a folder into which all users may write, because VLC does not run as root.
pub(crate) fn open_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777))?;
    Ok(())
}
