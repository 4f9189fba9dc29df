//! A log that is not read, as if its pager were stopped or its log agent hung.

use std::path::Path;

use anyhow::{Context as _, Result};
use rustix::process::Signal;

use super::steps::last;
use crate::{
    case::{Case, Findings, Run},
    launch::Launch,
    rig::program::ProgramRig,
};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "log-unread",
        "standard error is a full pipe that is not read, while a camera fails again and again, for \
         5 s; then SIGTERM",
        "exit code 0 within the grace of 5 s",
        Run::Program(|rig| Box::pin(unread(rig))),
    )
    .set_up(failing)
    .short(),
    Case::new(
        "log-unread-sigterm",
        "SIGTERM while standard error is a full pipe that is not read",
        "exit code 0 within the grace of 5 s",
        Run::Program(|rig| Box::pin(sigterm(rig))),
    )
    .set_up(unread_log)
    .short(),
];

/// Adds a stream of a program that always fails, which the relay logs.
fn failing(dir: &Path, launch: &mut Launch) -> Result<()> {
    launch.add_stream("fails", "exec:false");
    launch.args.extend(["--log".into(), "debug".into()]);
    unread_log(dir, launch)
}

fn unread_log(_: &Path, launch: &mut Launch) -> Result<()> {
    launch.is_log_unread = true;
    Ok(())
}

async fn unread(rig: &mut ProgramRig) -> Result<Findings> {
    fill(rig)?;
    last(5).await;
    sigterm(rig).await
}

async fn sigterm(rig: &mut ProgramRig) -> Result<Findings> {
    fill(rig)?;
    let ended = rig.end_by(Signal::TERM).await?;
    Ok(Findings::seen(ended.in_order()?))
}

fn fill(rig: &ProgramRig) -> Result<()> {
    let unread = rig.program.process.unread.as_ref();
    unread.context("the log is a file, not a pipe")?.fill()?;
    Ok(())
}
