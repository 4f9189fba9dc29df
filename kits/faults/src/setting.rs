//! The settings that all cases share.

use std::{env, fs, path::PathBuf};

use anyhow::{Context as _, Result};

/// The relay, and how it is tested.
#[derive(Clone)]
pub(crate) struct Setting {
    pub(crate) server: PathBuf,
    pub(crate) dir: PathBuf,
    pub(crate) seed: u64,
    /// What the relay lacks, of [`LACKS`](crate::inside::LACKS).
    pub(crate) without: Option<String>,
}

/// Makes a new folder. Its name is random: the process number is 1 in each namespace of the suite.
pub(crate) fn own_dir() -> Result<PathBuf> {
    let dir = env::temp_dir().join(format!("mjpeg-faults-{:016x}", fastrand::u64(..)));
    fs::create_dir_all(&dir).with_context(|| format!("making {}", dir.display()))?;
    Ok(dir)
}
