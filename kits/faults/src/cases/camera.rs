//! Cameras whose connections fail.
//!
//! The limits for recovery follow from the backoff of `mjpeg-ingest`: it waits 0.25 to 0.5 s before
//! the first new attempt and twice as long before each further one, at most 30 s. Once a camera has
//! been online for 10 s, the backoff starts over. The limits allow a second more for the machine.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use mjpeg_testkit::{jpeg, refused_addr};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpSocket, TcpStream},
    time::Instant,
};

use super::steps::{Switch, last, listening, secs, timed};
use crate::{
    camera::{Camera, Conn},
    case::{Case, Findings, Run},
    inside::PANIC,
    rig::relay::RelayRig,
    sequence::{Sequence, numbered},
};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "camera-closes",
        "closes each connection at once, for 5 s",
        "the relay waits longer before each attempt",
        Run::Relay(|rig| Box::pin(closes(rig))),
    )
    .short(),
    Case::new(
        "camera-silent",
        "accepts the connection and sends nothing",
        "the relay gives up after 10 s",
        Run::Relay(|rig| Box::pin(silent(rig))),
    )
    .short(),
    Case::new(
        "camera-stops",
        "stops in the middle of a picture and sends nothing more",
        "the half picture is not shown",
        Run::Relay(|rig| Box::pin(stops(rig))),
    ),
    Case::new(
        "camera-resets",
        "resets the connection in the middle of a picture, three times",
        "the half pictures are not shown",
        Run::Relay(|rig| Box::pin(resets(rig))),
    )
    .short(),
    Case::new(
        "camera-refuses",
        "its port is closed for 5 s",
        "",
        Run::Relay(|rig| Box::pin(refuses(rig))),
    ),
    Case::new(
        "camera-cut-everywhere",
        "one connection for each byte of a picture: a whole picture, then one cut behind that byte",
        "all whole pictures are relayed, and nothing else",
        Run::Relay(|rig| Box::pin(cut_everywhere(rig))),
    )
    .short(),
    Case::new(
        "panic",
        "the task of a stream panics, twice",
        "the state is `failed` until it is restarted",
        Run::Relay(|rig| Box::pin(panics(rig))),
    )
    .short(),
];

async fn closes(rig: &mut RelayRig) -> Result<Findings> {
    let good = Switch::default();
    let is_good = good.clone();
    let camera = Camera::start(move |_, conn: Conn| {
        let is_good = is_good.clone();
        async move {
            if is_good.is_on() {
                conn.live().await
            } else {
                Ok(())
            }
        }
    })
    .await?;
    let mut watcher = rig.watched(&camera.url(), &camera).await?;
    last(5).await;
    let attempts = camera.accepted();
    // The longest waits allow four attempts in 5 s, the shortest five. A slow machine may add one.
    ensure!((4..=6).contains(&attempts), "{attempts} attempts in 5 s");
    let error = rig.error_says(&["closed the connection"], secs(1)).await?;
    good.on();
    let took = timed(watcher.fresh(secs(20))).await?;
    Ok(Findings::seen(format!("{attempts} attempts; {error}")).recovered(took, secs(9)))
}

async fn silent(rig: &mut RelayRig) -> Result<Findings> {
    let camera = Camera::start(|n, conn: Conn| async move {
        match n {
            0 => conn.silent().await,
            _ => conn.live().await,
        }
    })
    .await?;
    let addr = rig.stream(&camera.url()).await?;
    camera.wait_accepted(1, secs(5)).await?;
    let mut watcher = rig.watch(addr, &camera).await?;
    let took = timed(watcher.fresh(secs(30))).await?;
    let error = rig.error_says(&["sent nothing for 10s"], secs(1)).await?;
    Ok(Findings::seen(error).recovered(took, secs(12)))
}

async fn stops(rig: &mut RelayRig) -> Result<Findings> {
    let stopped = Switch::default();
    let has_stopped = stopped.clone();
    let camera = Camera::start(move |n, mut conn: Conn| {
        let has_stopped = has_stopped.clone();
        async move {
            if n > 0 {
                return conn.live().await;
            }
            conn.live_for(secs(1)).await?;
            let half = conn.sequence.half();
            conn.send(&half).await?;
            has_stopped.on();
            conn.silent().await
        }
    })
    .await?;
    let mut watcher = rig.watched(&camera.url(), &camera).await?;
    watcher.fresh(secs(5)).await?;
    stopped.wait(secs(10)).await?;
    let took = timed(watcher.fresh(secs(30))).await?;
    let error = rig.error_says(&["sent nothing for 10s"], secs(1)).await?;
    ensure!(
        watcher.seen().lost <= 1,
        "more than the half picture is lost"
    );
    Ok(Findings::seen(error).recovered(took, secs(12)))
}

async fn resets(rig: &mut RelayRig) -> Result<Findings> {
    let good = Switch::default();
    let turned_good = good.clone();
    let camera = Camera::start(move |n, mut conn: Conn| {
        let turned_good = turned_good.clone();
        async move {
            if n < 3 {
                conn.live_for(secs(1)).await?;
                let half = conn.sequence.half();
                conn.send(&half).await?;
                if n == 2 {
                    turned_good.on();
                }
                return conn.reset();
            }
            conn.live().await
        }
    })
    .await?;
    let mut watcher = rig.watched(&camera.url(), &camera).await?;
    good.wait(secs(20)).await?;
    let took = timed(watcher.fresh(secs(10))).await?;
    let error = rig.error_says(&["broke", "reset"], secs(1)).await?;
    // The third wait is 1 to 2 s.
    Ok(Findings::seen(error).recovered(took, secs(3)))
}

async fn refuses(rig: &mut RelayRig) -> Result<Findings> {
    let closed = refused_addr().await;
    let sequence = Arc::new(Sequence::default());
    let addr = rig.stream(&format!("tcp://{closed}")).await?;
    let mut watcher = rig.watch_sequence(addr, &sequence).await?;
    let error = rig.error_says(&["refused"], secs(3)).await?;
    last(5).await;
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(closed)?;
    let camera = Camera::on(socket.listen(8)?, sequence, |_, conn: Conn| conn.live())?;
    let took = timed(watcher.fresh(secs(20))).await?;
    drop(camera);
    Ok(Findings::seen(error).recovered(took, secs(9)))
}

async fn cut_everywhere(rig: &mut RelayRig) -> Result<Findings> {
    // There is no backoff if the camera connects to the relay, so there is time for all cuts.
    let addr = listening(rig).await?.peer_addr()?;
    let picture = jpeg::numbered(0);
    let cuts = picture.len() as u64 - 1;
    for cut in 1..picture.len() {
        let mut connection = TcpStream::connect(addr)
            .await
            .with_context(|| format!("connection {cut}"))?;
        let whole = numbered(&picture, u32::try_from(cut)?);
        connection.write_all(&whole).await?;
        connection.write_all(&picture[..cut]).await?;
        connection.shutdown().await?;
        // The relay reads the newest of several waiting cameras, so the next one must not be early.
        let since = Instant::now();
        while rig.status().await?.frames < cut as u64 {
            let waited = since.elapsed();
            ensure!(
                waited < secs(10),
                "the whole picture before cut {cut} did not arrive"
            );
        }
    }
    let what = "the last connection is over";
    let status = rig
        .until(what, secs(10), |now| now.state == "offline")
        .await?;
    ensure!(
        status.frames == cuts,
        "{} pictures arrived, {cuts} were whole",
        status.frames
    );
    rig.error_says(&["closed the connection"], secs(5)).await?;
    Ok(Findings::seen(format!(
        "{cuts} of {cuts} whole pictures arrived"
    )))
}

async fn panics(rig: &mut RelayRig) -> Result<Findings> {
    rig.panics_expected = true;
    let camera = Camera::start(|n, mut conn: Conn| async move {
        conn.live_for(secs(1)).await?;
        if n < 2 {
            conn.send(PANIC).await?;
            return conn.silent().await;
        }
        conn.live().await
    })
    .await?;
    let addr = rig.panicking_stream(camera.addr).await?;
    let mut watcher = rig.watch(addr, &camera).await?;
    let status = rig
        .until("two panics", secs(20), |status| status.panics == 2)
        .await?;
    ensure!(status.state == "failed", "the state is {}", status.state);
    let took = timed(watcher.fresh(secs(10))).await?;
    let error = rig.error_says(&["panicked"], secs(1)).await?;
    // The second wait is 0.5 to 1 s.
    Ok(Findings::seen(error).recovered(took, secs(2)))
}
