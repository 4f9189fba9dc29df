//! What happens to the relay's own process.

use std::{path::Path, process::Output, time::Duration};

use anyhow::{Context as _, Result, ensure};
use mjpeg_testkit::Viewer;
use rustix::process::Signal;
use tokio::{
    net::TcpListener,
    process::Command,
    time::{sleep, timeout},
};

use super::steps::{GET, Switch, ask, last, secs, timed};
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
        "who watches goes on watching; newcomers are served when there are files again",
        Run::Program(|rig| Box::pin(files_exhausted(rig))),
    )
    .set_up(few_files)
    .short(),
    Case::new(
        "files-exhausted-camera",
        "the same, and a camera is lost meanwhile",
        "its error says what is lacking",
        Run::Relay(|rig| Box::pin(no_file_for_a_camera(rig))),
    )
    .set_up(few_files),
    Case::new(
        "port-taken",
        "a second relay on the ports of one that runs; then its own port taken while it runs",
        "the second fails, and says whom to look for",
        Run::Program(|rig| Box::pin(port_taken(rig))),
    )
    .short(),
    Case::new(
        "sigterm-under-load",
        "SIGTERM with 60 viewers, 20 of them reading nothing",
        "responses end after a whole part, exit code 0 within the grace of 5 s, ports free",
        Run::Program(|rig| Box::pin(sigterm(rig))),
    )
    .short()
    .most_mib(24),
    Case::new(
        "clock-jumps",
        "the wall clock jumps a day ahead, then two days back, a camera lost after each",
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
    let mut hogs = Vec::new();
    for _ in 0..150 {
        // Connections that the relay has no files for wait in the system's queue.
        hogs.push(ask(addr, GET).await?);
    }
    last(5).await;
    let files = rig.program.process.figures()?.files;
    ensure!(
        files >= 63,
        "the relay has {files} open files, not all of 64"
    );
    drop(hogs);
    let took = timed(async {
        let mut newcomer = Viewer::open(addr, "/").await?;
        newcomer.next_frame().await?.context("a picture").map(drop)
    })
    .await?;
    let said = rig.said()?;
    ensure!(
        said.contains("cannot accept a connection"),
        "the log does not say it: {said}"
    );
    // The relay works off the queue first; it notices closed connections within a second.
    Ok(Findings::seen("logged: cannot accept a connection").recovered(took, secs(5)))
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
    let mut hogs = Vec::new();
    for _ in 0..150 {
        hogs.push(ask(addr, GET).await?);
    }
    let what = "there are no files";
    rig.until(what, secs(10), |now| now.accept_errors > 0)
        .await?;
    lost.on();
    // The camera's file becomes free, and a waiting connection gets it.
    let words = ["Too many open files"];
    let error = rig.error_says(&words, secs(10)).await?;
    drop(hogs);
    let took = timed(watcher.fresh(secs(20))).await?;
    // Few attempts have failed by then: 4 s of wait at most.
    Ok(Findings::seen(error).recovered(took, secs(6)))
}

async fn port_taken(rig: &mut ProgramRig) -> Result<Findings> {
    let addr = rig.program.addrs[0];
    let stream = format!("a=tcp://{}@{addr}", rig.cameras[1].addr);
    let args = ["run", "--stream", &stream];
    let second = Command::new(&rig.server).args(args).output();
    let Output { status, stderr, .. } = timeout(secs(20), second).await??;
    let said = String::from_utf8_lossy(&stderr);
    ensure!(status.code() == Some(1), "the second ended with {status}");
    ensure!(
        said.contains("port_in_use") && said.contains("ss -ltnp"),
        "it says: {said}"
    );
    // No process can take a port that the relay listens on, and with it the viewers.
    let taken = TcpListener::bind(addr).await;
    ensure!(taken.is_err(), "the port could be taken");
    last(2).await;
    Ok(Findings::seen(
        "exit code 1: port_in_use, and how to find who has it",
    ))
}

async fn sigterm(rig: &mut ProgramRig) -> Result<Findings> {
    let addr = rig.program.addrs[0];
    let mut idle = Vec::new();
    for _ in 0..20 {
        idle.push(ask(addr, GET).await?);
    }
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
            .context("a port is not free")?;
    }
    let viewers = ended.viewers.len();
    Ok(Findings::seen(format!(
        "{how}, {viewers} responses ended in order"
    )))
}

async fn clock_jumps(rig: &mut RelayRig) -> Result<Findings> {
    let camera = Camera::start(|_, mut conn| async move { conn.live_for(secs(4)).await }).await?;
    let addr = rig.stream(&camera.url()).await?;
    let mut watcher = rig.watch(addr, &camera).await?;
    watcher.fresh(secs(5)).await?;
    let mut longest = Duration::ZERO;
    let day = secs(24 * 3600).as_secs();
    for (by, offset) in [("+1d", day as i64), ("-1d", -(day as i64))] {
        faketime::jump(&rig.dir, by)?;
        sleep(Duration::from_millis(200)).await;
        let told = rig.relay.ask(&Question::Clock).await?;
        let told = told.get("unix_s").and_then(serde_json::Value::as_i64);
        let off = told.context("no clock")? - unix_seconds()? - offset;
        ensure!(
            off.abs() < 60,
            "the clock did not jump: it is off by {off} s"
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
    // The camera is lost again within 10 s: a wait of 0.5 to 1 s, which began before.
    Ok(Findings::seen("the backoff goes by the other clock").recovered(longest, secs(3)))
}

fn unix_seconds() -> Result<i64> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(i64::try_from(now.as_secs())?)
}
