//! Settings that all cases share.

use std::{env, fs, path::PathBuf};

use anyhow::{Context as _, Result};

/// Which relay is tested, and how.
#[derive(Clone)]
pub(crate) struct Setting {
    /// The program `mjpeg-server`.
    pub(crate) server: PathBuf,
    /// The suite's folder, for logs and other files.
    pub(crate) dir: PathBuf,
    pub(crate) seed: u64,
    /// The protection that the relay lacks, one of [`LACKS`](crate::inside::LACKS).
    pub(crate) without: Option<String>,
}

/// Creates a folder. Its name is random, because the process ID is 1 in every namespace.
pub(crate) fn own_dir() -> Result<PathBuf> {
    let dir = env::temp_dir().join(format!("mjpeg-faults-{:016x}", fastrand::u64(..)));
    fs::create_dir_all(&dir).with_context(|| format!("creating {}", dir.display()))?;
    Ok(dir)
}
