//! Where the workspace and its programs are.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use xshell::{Shell, cmd};

/// The workspace whose relay is measured.
pub struct Workspace {
    /// A shell in the root of the workspace.
    pub sh: Shell,
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Takes the folders that `cargo xtask` names to each kit.
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

    /// The root of the workspace.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A file or folder below the build directory.
    #[must_use]
    pub fn target(&self, below: &str) -> PathBuf {
        self.target.join(below)
    }

    /// Builds the relay as it is released, and returns the program's path.
    pub fn release_build(&self) -> Result<PathBuf> {
        let sh = &self.sh;
        cmd!(sh, "cargo build --release --locked --package mjpeg-server").run()?;
        Ok(self.target("release/mjpeg-server"))
    }
}

/// The debug or release build of the relay that `cargo xtask` made together with this kit.
pub fn relay_beside_kit() -> Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name("mjpeg-server"))
}
