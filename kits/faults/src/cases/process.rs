//! Faults of the relay's own process and its environment.

use std::{
    path::Path,
    process::Output,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;
use serde_json::Value;
use tokio::{
    net::TcpListener,
    process::Command,
    time::{sleep, timeout},
};

use super::steps::{Switch, first_picture, last, secs, timed, unread_streams};
use crate::{
    camera::{Camera, Conn, INTERVAL},
    case::{Case, Findings, Needs, Run},
    faketime,
    inside::Question,
    launch::Launch,
    rig::{program::ProgramRig, relay::RelayRig},
};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "files-exhausted",
        "`ulimit -n 64`, and 150 connections for 5 s",
        "viewers keep watching; new ones are served once there are free files again",
        Run::Program(|rig| Box::pin(files_exhausted(rig))),
    )
    .set_up(few_files)
    .short(),
    Case::new(
        "files-exhausted-camera",
        "the same, and meanwhile a camera closes its connection",
        "the error says what is missing",
        Run::Relay(|rig| Box::pin(no_file_for_a_camera(rig))),
    )
    .set_up(few_files),
    Case::new(
        "port-taken",
        "a second relay on the port of the first; then an attempt to take the port of the first",
        "the second relay fails, and says how to find the first; the port stays taken",
        Run::Program(|rig| Box::pin(port_taken(rig))),
    )
    .short(),
    Case::new(
        "sigterm-under-load",
        "SIGTERM with 60 viewers, 20 of which do not read",
        "responses end after a whole part, exit code 0 within the grace of 5 s, the ports are free",
        Run::Program(|rig| Box::pin(sigterm(rig))),
    )
    .short()
    .most_mib(24),
    Case::new(
        "clock-jumps",
        "the wall clock jumps a day ahead, then two days back; after each jump a camera is lost",
        "",
        Run::Relay(|rig| Box::pin(clock_jumps(rig))),
    )
    .needs(Needs::Faketime)
    .set_up(faketime::set_up)
    .short(),
];

fn few_files(_: &Path, launch: &mut Launch) -> Result<()> {
    launch.most_files = Some(64);
    Ok(())
}

async fn files_exhausted(rig: &mut ProgramRig) -> Result<Findings> {
    let addr = rig.program.addrs[0];
    // The connections for which the relay has no files wait in the system's queue.
    let many = unread_streams(addr, 150).await?;
    last(5).await;
    let files = rig.program.process.figures()?.files;
    ensure!(
        files >= 63,
        "the relay has {files} open files, not all of 64"
    );
    drop(many);
    let took = first_picture(addr).await?;
    let said = rig.said()?;
    ensure!(
        said.contains("cannot accept connections"),
        "the log does not say so: {said}"
    );
    // The relay first accepts the connections that wait. It notices within a second that they are
    // closed.
    Ok(Findings::seen("logged: cannot accept connections").recovered(took, secs(5)))
}

async fn no_file_for_a_camera(rig: &mut RelayRig) -> Result<Findings> {
    let lost = Switch::default();
    let is_lost = lost.clone();
    let camera = Camera::start(move |n, mut conn: Conn| {
        let is_lost = is_lost.clone();
        async move {
            while n > 0 || !is_lost.is_on() {
                conn.picture().await?;
                sleep(INTERVAL).await;
            }
            Ok(())
        }
    })
    .await?;
    let addr = rig.stream(&camera.url()).await?;
    let mut watcher = rig.watch(addr, &camera).await?;
    watcher.fresh(secs(5)).await?;
    let many = unread_streams(addr, 150).await?;
    let what = "the relay has no files left";
    rig.until(what, secs(10), |now| now.accept_errors > 0)
        .await?;
    lost.on();
    // The camera's file is freed, and one of the waiting connections takes it.
    let words = ["Too many open files"];
    let error = rig.error_says(&words, secs(10)).await?;
    drop(many);
    let took = timed(watcher.fresh(secs(20))).await?;
    // Few attempts have failed by then, so the backoff is 4 s at most.
    Ok(Findings::seen(error).recovered(took, secs(6)))
}

async fn port_taken(rig: &mut ProgramRig) -> Result<Findings> {
    let addr = rig.program.addrs[0];
    let stream = format!("a=tcp://{}@{addr}", rig.cameras[1].addr);
    let args = ["run", "--stream", &stream];
    let mut second = Command::new(&rig.server);
    let second = second.args(args).kill_on_drop(true).output();
    let Output { status, stderr, .. } = timeout(secs(20), second).await??;
    let said = String::from_utf8_lossy(&stderr);
    ensure!(
        status.code() == Some(1),
        "the second relay ended with {status}"
    );
    ensure!(
        said.contains("port_in_use") && said.contains("ss -ltnp"),
        "it says: {said}"
    );
    // Otherwise another process could take over the viewers.
    let taken = TcpListener::bind(addr).await;
    ensure!(taken.is_err(), "another process can take the port");
    last(2).await;
    Ok(Findings::seen(
        "exit code 1: port_in_use, and how to find who has it",
    ))
}

async fn sigterm(rig: &mut ProgramRig) -> Result<Findings> {
    let addr = rig.program.addrs[0];
    let _idle = unread_streams(addr, 20).await?;
    rig.add_watchers(40).await?;
    last(2).await;
    let ended = rig.end_by(Signal::TERM).await?;
    let how = ended.in_order()?;
    for viewer in &ended.viewers {
        let how = viewer.ended(secs(5)).await?;
        ensure!(how == "in order", "a response ended {how}");
    }
    for addr in &rig.program.addrs {
        TcpListener::bind(addr)
            .await
            .context("a port is still taken")?;
    }
    let viewers = ended.viewers.len();
    Ok(Findings::seen(format!(
        "{how}, {viewers} responses ended in order"
    )))
}

async fn clock_jumps(rig: &mut RelayRig) -> Result<Findings> {
    let camera = Camera::start(|_, mut conn| async move { conn.live_for(secs(4)).await }).await?;
    let mut watcher = rig.watched(&camera.url(), &camera).await?;
    watcher.fresh(secs(5)).await?;
    let mut longest = Duration::ZERO;
    let day = secs(24 * 3600).as_secs();
    for (by, offset) in [("+1d", day as i64), ("-1d", -(day as i64))] {
        faketime::jump(&rig.dir, by)?;
        sleep(Duration::from_millis(200)).await;
        let answer = rig.relay.ask(&Question::Clock).await?;
        let told = answer.get("unix_s").and_then(Value::as_i64);
        let off = told.context("the answer has no time")? - unix_seconds()? - offset;
        ensure!(
            off.abs() < 60,
            "the clock did not jump: it differs by {off} s from what was set"
        );
        let lost = camera.accepted();
        camera.wait_accepted(lost + 1, secs(20)).await?;
        longest = longest.max(timed(watcher.fresh(secs(20))).await?);
        let seen = watcher.seen();
        ensure!(
            seen.longest_gap < secs(3),
            "no picture for {:.1?}",
            seen.longest_gap
        );
    }
    let retry = rig.status().await?.retry_in_ms;
    ensure!(
        retry.is_none_or(|time| time <= 30_000),
        "next attempt in {retry:?} ms"
    );
    // The camera is never online for 10 s, so the second backoff is 0.5 to 1 s.
    Ok(Findings::seen("the backoff does not depend on the wall clock").recovered(longest, secs(3)))
}

fn unix_seconds() -> Result<i64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(i64::try_from(now.as_secs())?)
}
