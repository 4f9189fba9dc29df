//! Cameras whose connections fail.
//!
//! How soon each must be back follows from the backoff of `mjpeg-ingest`: 0.25 to 0.5 s before the
//! first new attempt, twice that before each further one, 30 s at most. It starts anew once the
//! camera has been online for 10 s. The limits allow a second more for the machine.

use anyhow::{Context as _, Result, ensure};
use mjpeg_testkit::jpeg;
use tokio::{io::AsyncWriteExt as _, net::TcpStream, time::Instant};

use super::steps::{Switch, last, secs, timed};
use crate::{
    camera::{Camera, Line, numbered},
    case::{Case, Findings, Run},
    inside::PANIC,
    stage::relay::Stage,
};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "camera-closes",
        "closes each connection at once, for 5 s",
        "each attempt waits longer than the one before",
        Run::Relay(|stage| Box::pin(closes(stage))),
    )
    .short(),
    Case::new(
        "camera-silent",
        "accepts, and sends nothing",
        "given up after 10 s",
        Run::Relay(|stage| Box::pin(silent(stage))),
    )
    .short(),
    Case::new(
        "camera-stops",
        "stops in the middle of a picture and says no more",
        "the half picture is not shown",
        Run::Relay(|stage| Box::pin(stops(stage))),
    ),
    Case::new(
        "camera-resets",
        "breaks the connection off in the middle of a picture, three times",
        "the half pictures are not shown",
        Run::Relay(|stage| Box::pin(resets(stage))),
    )
    .short(),
    Case::new(
        "camera-refuses",
        "its port is closed for 5 s",
        "",
        Run::Relay(|stage| Box::pin(refuses(stage))),
    ),
    Case::new(
        "camera-cut-everywhere",
        "a connection for each byte of a picture, which closes behind it; before it a whole picture",
        "each whole picture is relayed, nothing else is",
        Run::Relay(|stage| Box::pin(cut_everywhere(stage))),
    )
    .short(),
    Case::new(
        "panic",
        "the task of a stream panics, twice",
        "the state is `failed` meanwhile",
        Run::Relay(|stage| Box::pin(panics(stage))),
    )
    .short(),
];

async fn closes(stage: &mut Stage) -> Result<Findings> {
    let good = Switch::default();
    let is_good = good.clone();
    let camera = Camera::start(move |_, line: Line| {
        let is_good = is_good.clone();
        async move {
            if is_good.is_on() {
                line.live().await
            } else {
                Ok(())
            }
        }
    })
    .await?;
    let addr = stage.stream(&camera.url()).await?;
    let mut watcher = stage.watch(addr, &camera).await?;
    last(5).await;
    let attempts = camera.accepted();
    // With the longest waits, the third attempt comes after 1.5 s and the fourth after 3.5 s; with
    // the shortest, the fifth after 3.75 s.
    ensure!((4..=6).contains(&attempts), "{attempts} attempts in 5 s");
    let error = stage
        .error_says(&["closed the connection"], secs(1))
        .await?;
    good.on();
    let took = timed(watcher.fresh(secs(20))).await?;
    Ok(Findings::seen(format!("{attempts} attempts; {error}")).recovered(took, secs(9)))
}

async fn silent(stage: &mut Stage) -> Result<Findings> {
    let camera = Camera::start(|n, line: Line| async move {
        match n {
            0 => line.silent().await,
            _ => line.live().await,
        }
    })
    .await?;
    let addr = stage.stream(&camera.url()).await?;
    camera.wait_accepted(1, secs(5)).await?;
    let mut watcher = stage.watch(addr, &camera).await?;
    let took = timed(watcher.fresh(secs(30))).await?;
    let error = stage.error_says(&["sent nothing for 10s"], secs(1)).await?;
    Ok(Findings::seen(error).recovered(took, secs(12)))
}

async fn stops(stage: &mut Stage) -> Result<Findings> {
    let stopped = Switch::default();
    let tell = stopped.clone();
    let camera = Camera::start(move |n, mut line: Line| {
        let tell = tell.clone();
        async move {
            if n > 0 {
                return line.live().await;
            }
            line.live_for(secs(1)).await?;
            let half = line.reel.half();
            line.send(&half).await?;
            tell.on();
            line.silent().await
        }
    })
    .await?;
    let addr = stage.stream(&camera.url()).await?;
    let mut watcher = stage.watch(addr, &camera).await?;
    watcher.fresh(secs(5)).await?;
    stopped.wait(secs(10)).await?;
    let took = timed(watcher.fresh(secs(30))).await?;
    let error = stage.error_says(&["sent nothing for 10s"], secs(1)).await?;
    ensure!(watcher.seen().lost <= 1, "more than the half one is lost");
    Ok(Findings::seen(error).recovered(took, secs(12)))
}

async fn resets(stage: &mut Stage) -> Result<Findings> {
    let good = Switch::default();
    let tell = good.clone();
    let camera = Camera::start(move |n, mut line: Line| {
        let tell = tell.clone();
        async move {
            if n < 3 {
                line.live_for(secs(1)).await?;
                let half = line.reel.half();
                line.send(&half).await?;
                if n == 2 {
                    tell.on();
                }
                return line.reset();
            }
            line.live().await
        }
    })
    .await?;
    let addr = stage.stream(&camera.url()).await?;
    let mut watcher = stage.watch(addr, &camera).await?;
    good.wait(secs(20)).await?;
    let took = timed(watcher.fresh(secs(10))).await?;
    let error = stage.error_says(&["broke", "reset"], secs(1)).await?;
    // The third wait is 1 to 2 s.
    Ok(Findings::seen(error).recovered(took, secs(3)))
}

async fn refuses(stage: &mut Stage) -> Result<Findings> {
    let closed = mjpeg_testkit::refused_addr().await;
    let reel = std::sync::Arc::new(crate::camera::Reel::default());
    let addr = stage.stream(&format!("tcp://{closed}")).await?;
    let mut watcher = stage.watch_reel(addr, &reel).await?;
    let error = stage.error_says(&["refused"], secs(3)).await?;
    last(5).await;
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(closed)?;
    let camera = Camera::on(socket.listen(8)?, reel, |_, line: Line| line.live())?;
    let took = timed(watcher.fresh(secs(20))).await?;
    drop(camera);
    Ok(Findings::seen(error).recovered(took, secs(9)))
}

async fn cut_everywhere(stage: &mut Stage) -> Result<Findings> {
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    // A source that connects to the relay has no backoff, so there is time for all cuts.
    stage.stream(&format!("tcp-listen://{port}")).await?;
    let picture = jpeg::numbered(0);
    let cuts = picture.len() as u64;
    let what = "it listens";
    while TcpStream::connect(port).await.is_err() {
        stage
            .until(what, secs(5), |now| now.state == "connecting")
            .await?;
    }
    for cut in 1..picture.len() {
        let mut connection = TcpStream::connect(port)
            .await
            .with_context(|| format!("connection {cut}"))?;
        let whole = numbered(&picture, u32::try_from(cut)?);
        connection.write_all(&whole).await?;
        connection.write_all(&picture[..cut]).await?;
        connection.shutdown().await?;
        // Of several waiting senders, the relay reads the newest.
        let since = Instant::now();
        while stage.status().await?.frames < cut as u64 {
            let waited = since.elapsed();
            ensure!(
                waited < secs(10),
                "the picture before cut {cut} did not come"
            );
        }
    }
    let what = "the last connection is over";
    let status = stage
        .until(what, secs(10), |now| now.state == "offline")
        .await?;
    ensure!(
        status.frames == cuts - 1,
        "{} pictures came, {} were whole",
        status.frames,
        cuts - 1
    );
    stage
        .error_says(&["closed the connection"], secs(5))
        .await?;
    Ok(Findings::seen(format!(
        "{} of {} whole pictures came",
        status.frames,
        cuts - 1
    )))
}

async fn panics(stage: &mut Stage) -> Result<Findings> {
    stage.panics_expected = true;
    let camera = Camera::start(|n, mut line: Line| async move {
        line.live_for(secs(1)).await?;
        if n < 2 {
            line.send(PANIC).await?;
            return line.silent().await;
        }
        line.live().await
    })
    .await?;
    let command = format!("panic faulty 0.0.0.0:0 {}", camera.addr);
    let addr = stage.stream_by(&command).await?;
    let mut watcher = stage.watch(addr, &camera).await?;
    let status = stage
        .until("two panics", secs(20), |status| status.panics == 2)
        .await?;
    ensure!(status.state == "failed", "the state is {}", status.state);
    let took = timed(watcher.fresh(secs(10))).await?;
    let error = stage.error_says(&["panicked"], secs(1)).await?;
    // The second wait is 0.5 to 1 s.
    Ok(Findings::seen(error).recovered(took, secs(2)))
}
