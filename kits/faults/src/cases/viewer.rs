//! Viewers that misbehave after they have requested a stream.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, Result, ensure};
use futures_util::{StreamExt as _, stream};
use mjpeg_testkit::jpeg;
use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, interval},
};

use super::steps::{GET, ask, first_picture, made, secs, timed, unread_streams};
use crate::{
    camera::Camera,
    case::{Case, Findings, Run},
    rig::relay::RelayRig,
    sequence::Sequence,
    table::seconds,
};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "viewer-never-reads",
        "20 viewers that never read; pictures of 100 KB",
        "the connections are closed after 30 s (write stall, time for one frame)",
        Run::Relay(|rig| Box::pin(never_reads(rig))),
    )
    .long()
    .most_mib(24),
    Case::new(
        "viewer-1-byte-per-s",
        "10 viewers that read one byte per second; pictures of 100 KB",
        "the connections are closed after 30 s (write stall, time for one frame)",
        Run::Relay(|rig| Box::pin(byte_per_second(rig))),
    )
    .long()
    .most_mib(24),
    Case::new(
        "viewer-half-closes",
        "20 viewers that close their sending side after the request",
        "they are taken for gone, and closed",
        Run::Relay(|rig| Box::pin(half_closes(rig))),
    )
    .short(),
    Case::new(
        "viewer-resets",
        "300 viewers that reset the connection in the middle of a picture",
        "",
        Run::Relay(|rig| Box::pin(resets(rig))),
    )
    .short(),
    Case::new(
        "viewer-5000-rounds",
        "5,000 connections that close at once, in the middle of the request, or after the first \
         bytes of the stream",
        "",
        Run::Relay(|rig| Box::pin(rounds(rig))),
    )
    .alone()
    .most_mib(16),
    Case::new(
        "viewer-2000-idle",
        "2,000 connections that send no request",
        "new viewers are served meanwhile; the connections are closed after 10 s (header timeout)",
        Run::Relay(|rig| Box::pin(idle(rig))),
    )
    .alone()
    .most_mib(64),
];

async fn never_reads(rig: &mut RelayRig) -> Result<Findings> {
    let (addr, healthy, _camera) = large_pictures(rig).await?;
    let _viewers = unread_streams(addr, 20).await?;
    wait_for_viewers(rig, healthy + 20).await?;
    let took = timed(gone(rig, healthy, secs(60))).await?;
    let findings = all_cut(rig, 20, took).await?;
    ensure!(
        (secs(25)..secs(40)).contains(&took),
        "closed after {took:.1?}"
    );
    Ok(findings)
}

async fn byte_per_second(rig: &mut RelayRig) -> Result<Findings> {
    let (addr, healthy, _camera) = large_pictures(rig).await?;
    let mut readers = Vec::new();
    for _ in 0..10 {
        let mut viewer = ask(addr, GET).await?;
        readers.push(tokio::spawn(async move {
            let mut ticks = interval(secs(1));
            let mut byte = [0];
            while viewer.read(&mut byte).await.is_ok_and(|n| n > 0) {
                ticks.tick().await;
            }
        }));
    }
    wait_for_viewers(rig, healthy + 10).await?;
    let took = timed(gone(rig, healthy, secs(90))).await?;
    for reader in readers {
        reader.abort();
    }
    ensure!(took < secs(65), "closed after {took:.1?}");
    all_cut(rig, 10, took).await
}

async fn half_closes(rig: &mut RelayRig) -> Result<Findings> {
    let (addr, healthy, _camera) = good_stream(rig, Camera::good().await?).await?;
    let mut viewers = Vec::new();
    for _ in 0..20 {
        let mut viewer = ask(addr, GET).await?;
        let mut start = [0; 2000];
        viewer.read_exact(&mut start).await?;
        viewer.shutdown().await?;
        viewers.push(viewer);
    }
    let took = timed(gone(rig, healthy, secs(10))).await?;
    Ok(Findings::seen(format!("closed after {}", seconds(took))))
}

async fn resets(rig: &mut RelayRig) -> Result<Findings> {
    let (addr, healthy, _camera) = large_pictures(rig).await?;
    for _ in 0..300 {
        let mut viewer = ask(addr, GET).await?;
        let mut start = vec![0; rig.random.usize(1..20_000)];
        viewer.read_exact(&mut start).await?;
        SockRef::from(&viewer).set_linger(Some(Duration::ZERO))?;
    }
    let took = timed(gone(rig, healthy, secs(10))).await?;
    Ok(Findings::seen(format!(
        "the last closed after {}",
        seconds(took)
    )))
}

async fn rounds(rig: &mut RelayRig) -> Result<Findings> {
    let (addr, healthy, _camera) = good_stream(rig, Camera::good().await?).await?;
    let kinds: Vec<u8> = (0..5000).map(|_| rig.random.u8(..)).collect();
    let since = Instant::now();
    let rounds = kinds.into_iter().map(async |kind| -> Result<()> {
        let mut viewer = TcpStream::connect(addr).await?;
        match kind % 4 {
            0 => {}
            1 => viewer.write_all(&GET[..9]).await?,
            2 => {
                viewer.write_all(GET).await?;
                viewer.read_exact(&mut [0; 100]).await?;
            }
            _ => {
                viewer.write_all(GET).await?;
                viewer.read_exact(&mut [0; 3000]).await?;
                SockRef::from(&viewer).set_linger(Some(Duration::ZERO))?;
            }
        }
        Ok(())
    });
    let mut rounds = stream::iter(rounds).buffer_unordered(16);
    while let Some(round) = rounds.next().await {
        round.context("a connection failed")?;
    }
    let rate = 5000.0 / since.elapsed().as_secs_f64();
    gone(rig, healthy, secs(15)).await?;
    Ok(Findings::seen(format!("{rate:.0} connections per second")))
}

async fn idle(rig: &mut RelayRig) -> Result<Findings> {
    let (addr, healthy, _camera) = good_stream(rig, Camera::good().await?).await?;
    let connecting = (0..2000).map(|_| TcpStream::connect(addr));
    let connecting = stream::iter(connecting).buffer_unordered(16);
    let idle: Vec<_> = connecting.collect().await;
    ensure!(idle.iter().all(Result::is_ok), "not all could connect");
    let first = first_picture(addr).await.context("a new viewer")?;
    ensure!(first < secs(3), "a new viewer waited for {first:.1?}");
    let took = timed(gone(rig, healthy, secs(30))).await?;
    let status = rig.status().await?;
    ensure!(
        status.header_timeouts == 2000,
        "{} were counted",
        status.header_timeouts
    );
    Ok(Findings::seen(format!(
        "a new viewer had its first picture after {:.0} ms; all closed after {}",
        first.as_secs_f64() * 1000.0,
        seconds(took)
    )))
}

/// Starts an undamaged stream of large pictures. Also returns how many viewers it has.
async fn large_pictures(rig: &mut RelayRig) -> Result<(SocketAddr, u64, Camera)> {
    let sequence = Sequence::of(made(|| jpeg::of_length(0, 100_000)).await?);
    let camera = Camera::steady(sequence, Duration::from_millis(100)).await?;
    good_stream(rig, camera).await
}

/// Starts an undamaged stream of this camera. Also returns how many viewers it has.
async fn good_stream(rig: &mut RelayRig, camera: Camera) -> Result<(SocketAddr, u64, Camera)> {
    let addr = rig.good_stream(&camera).await?;
    let healthy = rig.status().await?.connections;
    Ok((addr, healthy, camera))
}

/// Checks that the relay has counted this many viewers as cut because they read too slowly.
async fn all_cut(rig: &mut RelayRig, viewers: u64, took: Duration) -> Result<Findings> {
    let status = rig.status().await?;
    let cuts = status.write_stalls + status.send_timeouts + status.in_flight_cuts;
    ensure!(cuts == viewers, "{cuts} were counted");
    Ok(Findings::seen(format!(
        "the last closed after {}; {} write stalls, {} frames that took too long",
        seconds(took),
        status.write_stalls,
        status.send_timeouts
    )))
}

/// Waits until the stream has this many viewers.
async fn wait_for_viewers(rig: &mut RelayRig, viewers: u64) -> Result<()> {
    let what = "all viewers are connected";
    let there = rig.until(what, secs(5), |now| now.viewers == viewers);
    there.await.map(drop)
}

/// Waits until only the healthy viewers are left.
async fn gone(rig: &mut RelayRig, healthy: u64, limit: Duration) -> Result<()> {
    let what = "the bad viewers are gone";
    let gone = rig.until(what, limit, |now| {
        now.connections == healthy && now.viewers == healthy
    });
    gone.await.map(drop)
}
