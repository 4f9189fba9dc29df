//! Temporary folders.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// Creates a folder that stays, for logs. Its name ends in a random number, because in a namespace
/// of its own every kit has the same process ID.
pub fn lasting(name: &str) -> Result<PathBuf> {
    let path = env::temp_dir().join(format!("{name}-{:016x}", fastrand::u64(..)));
    fs::create_dir_all(&path).with_context(|| format!("creating {}", path.display()))?;
    Ok(path)
}

/// A temporary folder, removed with all that is in it when dropped.
pub struct Temporary(PathBuf);

impl Temporary {
    /// Creates an empty folder. Its name must be unique on this machine.
    pub fn new(name: &str) -> Result<Self> {
        let path = env::temp_dir().join(name);
        fs::create_dir_all(&path).with_context(|| format!("creating {}", path.display()))?;
        Ok(Self(path))
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // A program that was just killed may still write for a moment. What still cannot be removed
        // then stays in the system's temporary folder.
        for _ in 0..20 {
            match fs::remove_dir_all(&self.0) {
                Err(error) if error.kind() != ErrorKind::NotFound => {}
                _ => return,
            }
        }
    }
}
