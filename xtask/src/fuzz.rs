//! Runs the fuzz targets of `fuzz/`, a separate workspace that needs nightly.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{MetadataCommand, TargetKind};
use xshell::cmd;

use crate::debian::output;
use crate::util::{Workspace, files_with, read, targets};

pub(crate) const DEFAULT_SECONDS: u32 = 60;
/// In `ci`: enough to see that a target builds, runs, and survives its seeds and inputs close to
/// them.
const SMOKE_SECONDS: u32 = 20;

/// The step of `ci`. It is optional, because ordinary tests replay the seeds too.
pub(crate) fn smoke(workspace: &Workspace) -> Result<()> {
    if let Err(why) = ready(workspace) {
        println!("   SKIPPED: {why}");
        // The lock file and the list of targets need no nightly.
        return list(workspace).map(drop);
    }
    run(workspace, SMOKE_SECONDS, None)
}

pub(crate) fn run(workspace: &Workspace, seconds: u32, only: Option<&str>) -> Result<()> {
    ready(workspace)?;
    let all = list(workspace)?;
    let chosen: Vec<&String> = all
        .iter()
        .filter(|t| only.is_none_or(|only| *t == only))
        .collect();
    if chosen.is_empty() {
        bail!("no such fuzz target; there are: {}", all.join(", "));
    }
    let dictionary = dictionary(workspace)?;
    let sh = &workspace.sh;
    for target in chosen {
        let fuzz = workspace.root().join("fuzz");
        // libFuzzer writes new inputs to the first folder, and only reads the others.
        let corpus = fuzz.join("corpus").join(target);
        fs::create_dir_all(&corpus)?;
        let mut folders = vec![corpus];
        let seeds = fuzz.join("seeds").join(target);
        if seeds.is_dir() {
            folders.push(seeds);
        }
        // Without this, it prints hundreds of lines per second. Crashes are shown anyway.
        let mut options = vec![
            format!("-max_total_time={seconds}"),
            "-verbosity=0".to_owned(),
            "-print_final_stats=1".to_owned(),
        ];
        options.extend(
            dictionary
                .as_ref()
                .map(|path| format!("-dict={}", path.display())),
        );
        cmd!(
            sh,
            "cargo +nightly fuzz run {target} {folders...} -- {options...}"
        )
        .run()
        .with_context(|| {
            format!(
                "fuzz target {target} failed; if it found an input (in fuzz/artifacts/{target}), \
                     make it small with `cargo +nightly fuzz tmin {target} FILE`, keep it in \
                     fuzz/seeds/{target}, where an ordinary test replays it, and fix the bug"
            )
        })?;
    }
    Ok(())
}

/// Fails if nightly or cargo-fuzz is not installed.
fn ready(workspace: &Workspace) -> Result<()> {
    let works = |arguments: &[&str]| output(&workspace.sh, "cargo", arguments).is_some();
    if !works(&["+nightly", "--version"]) {
        bail!("fuzzing needs a toolchain named nightly: `rustup toolchain install nightly`");
    }
    if !works(&["+nightly", "fuzz", "--version"]) {
        bail!("fuzzing needs cargo-fuzz: `cargo install --locked cargo-fuzz`");
    }
    Ok(())
}

/// The names of the targets. Also checks the lock file, because cargo-fuzz has no `--locked`.
fn list(workspace: &Workspace) -> Result<Vec<String>> {
    let metadata = MetadataCommand::new()
        .manifest_path(workspace.root().join("fuzz/Cargo.toml"))
        .other_options(["--locked".to_owned()])
        .exec()
        .context(
            "`cargo metadata --locked` failed in fuzz/; if its Cargo.lock is out of date, \
             run `cargo metadata --manifest-path fuzz/Cargo.toml` once and commit it",
        )?;
    let packages = metadata.workspace_packages();
    let names = packages
        .iter()
        .flat_map(|package| targets(package, TargetKind::Bin));
    Ok(names.map(str::to_owned).collect())
}

/// Joins all of `fuzz/dict/`, because libFuzzer takes only one file. Tokens of another format only
/// waste a few mutations.
fn dictionary(workspace: &Workspace) -> Result<Option<PathBuf>> {
    let parts = files_with(&workspace.root().join("fuzz/dict"), "dict")?;
    if parts.is_empty() {
        return Ok(None);
    }
    let mut all = String::new();
    for part in parts {
        all.push_str(&read(&part)?);
        all.push('\n');
    }
    let path = workspace.target("xtask/fuzz.dict");
    fs::create_dir_all(workspace.target("xtask"))?;
    fs::write(&path, all).with_context(|| format!("writing {}", path.display()))?;
    Ok(Some(path))
}
