//! Packages each published crate and uses it as its users do: alone, from its tarball, in a
//! separate workspace (`kits/consumers/`) whose packages name it by version.
//!
//! This finds what no build inside the workspace can: a file missing in `include`, a feature that
//! only another crate enables, a type of the API that users cannot name.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use cargo_metadata::{Package, TargetKind};
use xshell::cmd;

use crate::util::{Workspace, targets, verdict};

/// The command: packages the crates, then checks them.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    pack(workspace)?;
    check(workspace)
}

/// Packages all crates in one call, so that they resolve one another though none is on crates.io.
///
/// Cargo's own verification is off, because [`check`] builds the same tarballs and more. Cargo also
/// takes the dependencies of the crate that it verifies from a temporary registry, whose unpacked
/// files and build results it caches by name and version. A second run would compile against the
/// crates of the first.
pub(crate) fn pack(workspace: &Workspace) -> Result<()> {
    let unpublished = workspace.unpublished();
    let exclude = unpublished
        .iter()
        .flat_map(|p| ["--exclude", p.name.as_str()]);
    // In CI, no uncommitted file may get into a tarball.
    let dirty = std::env::var_os("CI").is_none().then_some("--allow-dirty");
    let sh = &workspace.sh;
    cmd!(
        sh,
        "cargo package --workspace --no-verify --locked {exclude...} {dirty...}"
    )
    .run()?;
    Ok(())
}

/// Unpacks the tarballs that [`pack`] made, and builds and runs each crate's consumer.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let sh = &workspace.sh;
    let published = workspace.published();
    let packed = workspace.target("packed");
    if packed.exists() {
        fs::remove_dir_all(&packed)?;
    }
    fs::create_dir_all(&packed)?;
    let mut problems = Vec::new();
    for package in &published {
        let name = format!("{}-{}", package.name, package.version);
        let tarball = workspace.target("package").join(format!("{name}.crate"));
        // `m` dates the files now, which makes cargo rebuild. Tarballs have a constant date.
        cmd!(sh, "tar xzmf {tarball} -C {packed}")
            .quiet()
            .run()
            .with_context(|| format!("unpacking {}; was it packed?", tarball.display()))?;
        problems.extend(absent(&packed.join(&name)).map(|file| {
            format!(
                "{}'s tarball lacks {file}; mind `include` in its Cargo.toml",
                package.name
            )
        }));
    }
    let home = workspace.root().join("kits/consumers");
    for package in &published {
        if !home.join(folder_of(package)).join("Cargo.toml").exists() {
            problems.push(format!("kits/consumers/{} is missing", folder_of(package)));
        }
    }
    if !problems.is_empty() {
        return verdict("consumers", &problems);
    }
    use_each(workspace, &published, &packed)
}

/// Builds and runs each crate's consumer against the unpacked tarballs.
fn use_each(workspace: &Workspace, published: &[&Package], packed: &Path) -> Result<()> {
    let sh = &workspace.sh;
    let home = workspace.root().join("kits/consumers");
    // The same versions as in the other checks. The copy is not committed, and not `--locked`,
    // because the consumers themselves are added to it.
    fs::copy(workspace.root().join("Cargo.lock"), home.join("Cargo.lock"))
        .context("copying Cargo.lock to kits/consumers/")?;
    let manifest = home.join("Cargo.toml");
    let patches: Vec<String> = published
        .iter()
        .flat_map(|package| {
            let folder = packed.join(format!("{}-{}", package.name, package.version));
            ["--config".to_owned(), patch(&package.name, &folder)]
        })
        .collect();
    // One at a time, because in one call the features that one consumer enables affect the others.
    for package in published {
        let consumer = format!("consumer-{}", folder_of(package));
        // The usual build directory, where third-party crates are already built.
        let target = workspace.target("");
        let patches = &patches;
        cmd!(
            sh,
            "cargo run --quiet --manifest-path {manifest} --target-dir {target} {patches...} -p {consumer}"
        )
        .quiet()
        .run()
        .with_context(|| {
            format!("kits/consumers/{} cannot use {} from its tarball", folder_of(package), package.name)
        })?;
        println!("   {consumer}: ok");
        // A consumer builds the library. A program that users would `cargo install` must build too.
        if !targets(package, TargetKind::Bin).is_empty() {
            let name = package.name.as_str();
            cmd!(
                sh,
                "cargo build --quiet --manifest-path {manifest} --target-dir {target} {patches...} -p {name} --bins"
            )
            .quiet()
            .run()
            .map_err(|_| anyhow!("the program in {name}'s tarball does not build"))?;
            println!("   {name}: program builds");
        }
    }
    println!("consumers: ok");
    Ok(())
}

/// The required files that a tarball lacks.
fn absent(folder: &Path) -> impl Iterator<Item = &'static str> {
    let wanted = [
        "README.md",
        "CHANGELOG.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "src/lib.rs",
    ];
    wanted
        .into_iter()
        .filter(move |file| !folder.join(file).is_file())
}

/// The consumer's folder: `codec` for `mjpeg-codec`.
fn folder_of(package: &Package) -> &str {
    short(&package.name)
}

fn short(name: &str) -> &str {
    name.strip_prefix("mjpeg-").unwrap_or(name)
}

/// The argument that replaces a crate with its tarball. It is not in a manifest, because the path
/// differs from machine to machine.
fn patch(name: &str, folder: &Path) -> String {
    // In a TOML literal string, backslashes are not escapes.
    format!("patch.crates-io.{name}.path='{}'", folder.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_consumer_is_named_after_its_crate() {
        assert_eq!(short("mjpeg-codec"), "codec");
        assert_eq!(short("other"), "other");
    }

    #[test]
    fn a_patch_points_at_the_unpacked_tarball() {
        assert_eq!(
            patch("mjpeg-codec", Path::new("/t/packed/mjpeg-codec-0.1.0")),
            "patch.crates-io.mjpeg-codec.path='/t/packed/mjpeg-codec-0.1.0'"
        );
    }
}
