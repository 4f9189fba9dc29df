//! Clients that ask for single pictures, and do not take them or ask too often.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Result, ensure};
use mjpeg_testkit::{jpeg, request};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::{Instant, interval, sleep},
};

use super::steps::{made, secs, timed};
use crate::{
    camera::{Camera, Conn},
    case::{Case, Findings, Run},
    inside::Start,
    rig::relay::{FAULTY, RelayRig},
    sequence::Sequence,
};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "snapshots-unread",
        "100 clients that ask for a new picture of 4 MiB each and read nothing",
        "no more pictures are held for them than for viewers (64 MiB)",
        Run::Relay(|rig| Box::pin(unread(rig))),
    )
    .alone()
    .most_mib(128),
    Case::new(
        "snapshots-drip",
        "20 clients that take a picture of 4 MiB at 16 KiB a second",
        "closed after 30 s (time for one frame)",
        Run::Relay(|rig| Box::pin(drip(rig))),
    )
    .most_mib(128),
    Case::new(
        "snapshots-without-linger",
        "a client that asks for one picture after the other, for 5 s, of a camera that is connected for each",
        "the relay connects ten times a second at most",
        Run::Relay(|rig| Box::pin(without_linger(rig))),
    )
    .most_mib(16),
];

async fn unread(rig: &mut RelayRig) -> Result<Findings> {
    let camera = large_pictures(Duration::from_millis(100)).await?;
    let addr = rig.stream(&camera.url()).await?;
    let what = "a picture";
    rig.until(what, secs(10), |now| now.frames > 0).await?;
    let mut clients = Vec::new();
    for _ in 0..100 {
        clients.push(ask_slowly(addr, "/snapshot?fresh=1").await?);
        sleep(Duration::from_millis(100)).await;
    }
    sleep(secs(2)).await;
    let status = rig.status().await?;
    Ok(Findings::seen(format!(
        "{} of {} connections are left, {} cut for what they held",
        status.connections,
        clients.len(),
        status.in_flight_cuts
    )))
}

async fn drip(rig: &mut RelayRig) -> Result<Findings> {
    let camera = large_pictures(secs(1)).await?;
    let addr = rig.stream(&camera.url()).await?;
    let what = "a picture";
    rig.until(what, secs(10), |now| now.frames > 0).await?;
    let mut readers = Vec::new();
    for _ in 0..20 {
        let mut client = ask_slowly(addr, "/snapshot").await?;
        readers.push(tokio::spawn(async move {
            let mut ticks = interval(Duration::from_millis(250));
            let mut some = [0; 4 << 10];
            while client.read(&mut some).await.is_ok_and(|n| n > 0) {
                ticks.tick().await;
            }
        }));
    }
    let took = timed(async {
        let what = "all are gone";
        let gone = rig.until(what, secs(45), |now| now.connections == 0);
        gone.await.map(drop)
    })
    .await;
    for reader in readers {
        reader.abort();
    }
    Ok(Findings::seen(format!(
        "the last closed after {:.1} s",
        took?.as_secs_f64()
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
        let raw = "GET /snapshot HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n";
        request(addr, raw).await?;
        asked += 1;
    }
    let connects = camera.accepted();
    ensure!(connects <= 50, "{connects} connects for {asked} pictures");
    Ok(Findings::seen(format!(
        "{connects} connects for {asked} requests"
    )))
}

/// A camera with a picture of 4 MiB in each interval.
async fn large_pictures(every: Duration) -> Result<Camera> {
    let sequence = Sequence::of(made(|| jpeg::of_length(0, 4 << 20)).await?);
    Camera::with(sequence, move |_, mut conn: Conn| async move {
        let mut ticks = interval(every);
        loop {
            ticks.tick().await;
            conn.picture().await?;
        }
    })
    .await
}

/// A client whose own kernel takes little for it.
async fn ask_slowly(addr: SocketAddr, path: &str) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(16 << 10)?;
    let mut stream = socket.connect(addr).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    Ok(stream)
}
