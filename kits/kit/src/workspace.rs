//! The workspace's folders and programs.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use xshell::{Shell, cmd};

/// The workspace whose relay the kits measure.
pub struct Workspace {
    /// A shell in the workspace's root.
    pub sh: Shell,
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Reads the folders from the environment that `cargo xtask` sets.
    pub fn from_env() -> Result<Self> {
        let folder = |name| {
            let folder = std::env::var_os(name).map(PathBuf::from);
            folder.with_context(|| format!("{name} is not set; start this kit with `cargo xtask`"))
        };
        let root = folder("MJPEG_KIT_ROOT")?;
        let sh = Shell::new()?;
        sh.change_dir(&root);
        let target = folder("MJPEG_KIT_TARGET")?;
        Ok(Self { sh, root, target })
    }

    /// The workspace's root.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A file or folder below the build directory.
    #[must_use]
    pub fn target(&self, below: &str) -> PathBuf {
        self.target.join(below)
    }

    /// Builds the relay for release, and returns the program's path.
    pub fn release_build(&self) -> Result<PathBuf> {
        let sh = &self.sh;
        cmd!(sh, "cargo build --release --locked --package mjpeg-server").run()?;
        Ok(self.target("release/mjpeg-server"))
    }
}

/// The relay that `cargo xtask` built together with this kit, by the same profile.
pub fn relay_beside_kit() -> Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name("mjpeg-server"))
}
