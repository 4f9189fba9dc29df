//! Clients that request single pictures, and do not read them or request too many.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Result, ensure};
use mjpeg_testkit::{jpeg, request};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::{Instant, interval},
};

use super::steps::{get, last, made, secs, timed};
use crate::{
    camera::Camera,
    case::{Case, Findings, Run},
    inside::Start,
    rig::relay::{FAULTY, RelayRig},
    sequence::Sequence,
    table::seconds,
};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "snapshots-unread",
        "100 clients that each request a new picture of 4 MiB and read nothing",
        "no more memory is held for them than for viewers (64 MiB)",
        Run::Relay(|rig| Box::pin(unread(rig, 100))),
    )
    .alone()
    .most_mib(128),
    Case::new(
        "snapshots-unread-40",
        "the same with 40 clients",
        "no more memory is held for them than for viewers (64 MiB)",
        Run::Relay(|rig| Box::pin(unread(rig, 40))),
    )
    .alone()
    .short()
    .most_mib(128),
    Case::new(
        "snapshots-drip",
        "20 clients that read a picture of 4 MiB at 16 KiB per second",
        "the connections are closed after 30 s (time for one frame)",
        Run::Relay(|rig| Box::pin(drip(rig))),
    )
    .long()
    .most_mib(128),
    Case::new(
        "snapshots-without-linger",
        "a client that requests one picture after another for 5 s, from a camera that the relay \
         connects to for each request",
        "the relay connects at most ten times a second",
        Run::Relay(|rig| Box::pin(without_linger(rig))),
    )
    .most_mib(16),
];

async fn unread(rig: &mut RelayRig, count: usize) -> Result<Findings> {
    let (addr, _camera) = large_pictures(rig, Duration::from_millis(100)).await?;
    let mut clients = Vec::new();
    for _ in 0..count {
        let before = rig.status().await?.frames;
        clients.push(slow_client(addr, "/snapshot?fresh=1").await?);
        // Then the next client gets another picture.
        rig.until("a new picture", secs(10), |now| now.frames > before)
            .await?;
    }
    last(2).await;
    let status = rig.status().await?;
    ensure!(status.in_flight_cuts > 0, "no client was cut");
    Ok(Findings::seen(format!(
        "{} of {} connections are left, {} cut for what they held",
        status.connections,
        clients.len(),
        status.in_flight_cuts
    )))
}

async fn drip(rig: &mut RelayRig) -> Result<Findings> {
    let (addr, _camera) = large_pictures(rig, secs(1)).await?;
    let mut readers = Vec::new();
    for _ in 0..20 {
        let mut client = slow_client(addr, "/snapshot").await?;
        readers.push(tokio::spawn(async move {
            let mut ticks = interval(Duration::from_millis(250));
            let mut some = [0; 4 << 10];
            while client.read(&mut some).await.is_ok_and(|n| n > 0) {
                ticks.tick().await;
            }
        }));
    }
    let what = "all clients are gone";
    let took = timed(rig.until(what, secs(45), |now| now.connections == 0)).await;
    for reader in readers {
        reader.abort();
    }
    Ok(Findings::seen(format!(
        "the last closed after {}",
        seconds(took?)
    )))
}

async fn without_linger(rig: &mut RelayRig) -> Result<Findings> {
    let camera = Camera::good().await?;
    let addr = rig
        .start_stream(Start {
            linger: Some(Duration::ZERO),
            ..Start::of(FAULTY, camera.url())
        })
        .await?;
    let since = Instant::now();
    let mut asked = 0;
    while since.elapsed() < secs(5) {
        request(addr, get("/snapshot")).await?;
        asked += 1;
    }
    let connects = camera.accepted();
    ensure!(connects <= 50, "{connects} connects for {asked} pictures");
    Ok(Findings::seen(format!(
        "{connects} connects for {asked} requests"
    )))
}

/// Starts a stream of pictures of 4 MiB, and waits for the first.
async fn large_pictures(rig: &mut RelayRig, every: Duration) -> Result<(SocketAddr, Camera)> {
    let sequence = Sequence::of(made(|| jpeg::of_length(0, 4 << 20)).await?);
    let camera = Camera::steady(sequence, every).await?;
    let addr = rig.stream(&camera.url()).await?;
    let what = "the first picture arrives";
    rig.until(what, secs(10), |now| now.frames > 0).await?;
    Ok((addr, camera))
}

/// Requests a path as a client whose receive buffer is small, so that the rest stays in the relay.
async fn slow_client(addr: SocketAddr, path: &str) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(16 << 10)?;
    let mut stream = socket.connect(addr).await?;
    stream.write_all(get(path).as_bytes()).await?;
    Ok(stream)
}
