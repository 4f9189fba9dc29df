//! Shared by all tasks: the workspace's metadata, a shell in its root, small file helpers.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{Metadata, MetadataCommand, Package, TargetKind};
use xshell::Shell;

/// The workspace's metadata, and a shell whose working directory is the root.
pub(crate) struct Workspace {
    pub(crate) sh: Shell,
    metadata: Metadata,
}

impl Workspace {
    pub(crate) fn load() -> Result<Self> {
        // `cargo run` sets xtask's folder, so tasks work from any folder.
        let xtask = std::env::var_os("CARGO_MANIFEST_DIR")
            .context("started without cargo; run it as `cargo xtask`")?;
        let root = Path::new(&xtask)
            .parent()
            .context("xtask/ has no parent folder")?;
        let metadata = MetadataCommand::new()
            .manifest_path(root.join("Cargo.toml"))
            .other_options(["--locked".to_owned()])
            .exec()
            .context(
                "`cargo metadata --locked` failed; if Cargo.lock is out of date, \
                 run `cargo metadata` once and commit it",
            )?;
        let sh = Shell::new()?;
        sh.change_dir(&metadata.workspace_root);
        Ok(Self { sh, metadata })
    }

    pub(crate) fn root(&self) -> &Path {
        self.metadata.workspace_root.as_std_path()
    }

    /// A folder or file below the build directory, which users may configure.
    pub(crate) fn target(&self, below: &str) -> PathBuf {
        self.metadata.target_directory.join(below).into()
    }

    /// All members, sorted by name.
    pub(crate) fn members(&self) -> Vec<&Package> {
        let mut members = self.metadata.workspace_packages();
        members.sort_by(|a, b| a.name.cmp(&b.name));
        members
    }

    pub(crate) fn published(&self) -> Vec<&Package> {
        self.members()
            .into_iter()
            .filter(|p| published(p))
            .collect()
    }

    pub(crate) fn unpublished(&self) -> Vec<&Package> {
        self.members()
            .into_iter()
            .filter(|p| !published(p))
            .collect()
    }
}

/// Whether a package is published. `publish = false` becomes an empty list of registries.
pub(crate) fn published(package: &Package) -> bool {
    package.publish.as_ref().is_none_or(|to| !to.is_empty())
}

/// A package's folder.
pub(crate) fn folder(package: &Package) -> &Path {
    package
        .manifest_path
        .parent()
        .map_or(Path::new(""), |p| p.as_std_path())
}

/// The names of a package's targets of one kind.
pub(crate) fn targets(package: &Package, kind: TargetKind) -> Vec<&str> {
    let of_kind = package.targets.iter().filter(|t| t.kind.contains(&kind));
    of_kind.map(|t| t.name.as_str()).collect()
}

/// All files below `folder`, sorted. Empty if the folder does not exist.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if !folder.is_dir() {
        return Ok(found);
    }
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// As [`files`], for one extension.
pub(crate) fn files_with(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut found = files(folder)?;
    found.retain(|path| path.extension().is_some_and(|e| e == extension));
    Ok(found)
}

pub(crate) fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

/// Prints all problems, and fails if there are any.
pub(crate) fn verdict(task: &str, problems: &[String]) -> Result<()> {
    if problems.is_empty() {
        println!("{task}: ok");
        return Ok(());
    }
    for problem in problems {
        println!("{task}: {problem}");
    }
    bail!("{task}: {} problem(s), listed above", problems.len());
}
