//! A log that nobody reads, as behind a stopped pager or a stuck log agent.

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
        "standard error is a full pipe that nobody reads, while a camera is lost again and again, for 5 s; then SIGTERM",
        "exit code 0 within the grace of 5 s",
        Run::Program(|rig| Box::pin(unread(rig))),
    )
    .set_up(chatty)
    .short(),
    Case::new(
        "log-unread-sigterm",
        "SIGTERM while standard error is a full pipe that nobody reads",
        "exit code 0 within the grace of 5 s",
        Run::Program(|rig| Box::pin(sigterm(rig))),
    )
    .set_up(unread_log)
    .short(),
];

/// A stream of a program that fails at each attempt, which is logged.
fn chatty(dir: &Path, launch: &mut Launch) -> Result<()> {
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
    unread.context("the log is a file")?.fill()?;
    Ok(())
}
