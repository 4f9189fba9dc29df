//! Packs every published crate and uses each one as a stranger would: from its tarball, alone, in a
//! workspace of its own (`kits/consumers/`) whose packages name it by version like any other crate.
//!
//! This finds what no build inside the workspace can: a file that `include` forgot, a feature that
//! only a neighbour turns on, a type of the API that its user has no way to name.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use cargo_metadata::{Package, TargetKind};
use xshell::cmd;

use crate::util::{Workspace, targets, verdict};

/// The command: packs anew, then checks.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    pack(workspace)?;
    check(workspace)
}

/// One call for all crates, so that they resolve one another though none is on crates.io.
///
/// Without cargo's own verification: [`check`] builds the same tarballs and more, and cargo's takes
/// the crates below the one it verifies from a temporary registry whose unpacked files and build
/// results it keeps by name and version. At the second run it would compile against what the crates
/// were at the first.
pub(crate) fn pack(workspace: &Workspace) -> Result<()> {
    let unpublished = workspace.unpublished();
    let exclude = unpublished
        .iter()
        .flat_map(|p| ["--exclude", p.name.as_str()]);
    // Nothing uncommitted may go into a tarball, except on a desk where the work is under way.
    let dirty = std::env::var_os("CI").is_none().then_some("--allow-dirty");
    let sh = &workspace.sh;
    cmd!(
        sh,
        "cargo package --workspace --no-verify --locked {exclude...} {dirty...}"
    )
    .run()?;
    Ok(())
}

/// Unpacks what [`pack`] made and builds and runs each crate's consumer.
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
        // `m`: tarballs carry a made-up date; files dated now are what makes cargo rebuild.
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
    // The versions everything else is checked with. Not committed there and not `--locked`, as the
    // consumers themselves are added to it.
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
    // One at a time: in one call, features that one consumer turns on would help its neighbour.
    for package in published {
        let consumer = format!("consumer-{}", folder_of(package));
        // The same build directory as ever: third-party crates are there already.
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
        // A consumer builds the library; what a user would `cargo install` must build as well.
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

/// Files that every tarball must hold.
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

/// `mjpeg-codec` is used by `kits/consumers/codec`.
fn folder_of(package: &Package) -> &str {
    short(&package.name)
}

fn short(name: &str) -> &str {
    name.strip_prefix("mjpeg-").unwrap_or(name)
}

/// On the command line rather than in a manifest: where the tarballs lie differs per machine.
fn patch(name: &str, folder: &Path) -> String {
    // A TOML literal string: backslashes in a path stay what they are.
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
