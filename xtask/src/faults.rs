//! The fault suite and the soak. They are a program of their own (`faults/`), so that what it needs is not compiled before every other task.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use xshell::cmd;

use crate::flags::{Faults, Soak};
use crate::util::Workspace;

/// Runs the cases.
pub(crate) fn run(workspace: &Workspace, flags: &Faults) -> Result<()> {
    let mut args: Vec<PathBuf> = Vec::new();
    for name in &flags.case {
        args.extend(["--case".into(), name.into()]);
    }
    add(&mut args, "--seed", flags.seed);
    add_record(&mut args, flags.record.as_ref())?;
    if let Some(what) = &flags.without {
        args.extend(["--without".into(), what.into()]);
    }
    if flags.short {
        args.push("--short".into());
    }
    if flags.list {
        args.push("--list".into());
    }
    // The short form is for whoever has just built the tests.
    start(workspace, !flags.short && !flags.list, "run", &args)
}

/// A step of `ci`: the short form.
pub(crate) fn short(workspace: &Workspace) -> Result<()> {
    start(workspace, false, "run", &["--short".into()])
}

/// Runs the soak.
pub(crate) fn soak(workspace: &Workspace, flags: &Soak) -> Result<()> {
    let mut args: Vec<PathBuf> = Vec::new();
    add(&mut args, "--minutes", Some(flags.minutes));
    add(&mut args, "--seed", flags.seed);
    add_record(&mut args, flags.record.as_ref())?;
    start(workspace, true, "soak", &args)
}

fn add(args: &mut Vec<PathBuf>, name: &str, value: Option<u64>) {
    if let Some(value) = value {
        args.extend([name.into(), value.to_string().into()]);
    }
}

/// The suite is started in the workspace's root.
fn add_record(args: &mut Vec<PathBuf>, file: Option<&PathBuf>) -> Result<()> {
    if let Some(file) = file {
        args.extend(["--record".into(), std::path::absolute(file)?]);
    }
    Ok(())
}

/// Builds the relay and the suite, and runs it.
fn start(workspace: &Workspace, release: bool, what: &str, args: &[PathBuf]) -> Result<()> {
    let sh = &workspace.sh;
    let (profile, folder) = if release {
        (Some("--release"), "release")
    } else {
        (None, "debug")
    };
    cmd!(
        sh,
        "cargo build --locked --quiet {profile...} -p mjpeg-server -p faults"
    )
    .run()?;
    let server = workspace.target(&format!("{folder}/mjpeg-server"));
    let faults = workspace.target(&format!("{folder}/faults"));
    let server = if what == "run" {
        vec![server]
    } else {
        Vec::new()
    };
    cmd!(sh, "{faults} {what} {server...} {args...}")
        .quiet()
        .run()
        .context("something does not hold; it is told above")
}
