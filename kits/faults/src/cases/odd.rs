//! Good cameras that behave oddly, and must not be taken for lost.

use std::{io, sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use mjpeg_testkit::jpeg;
use rustix::process::Signal;
use tokio::{
    net::TcpStream,
    time::{Instant, sleep},
};

use super::steps::{good, last, listening, secs};
use crate::{
    camera::{Camera, Conn, ok_head},
    case::{Case, Findings, Needs, Run},
    rig::relay::{FAULTY, RelayRig},
    sequence::Sequence,
};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "polled-oddities",
        "polled 10 times a second for 8 s; every other answer is odd: 503, a page, the last 48 \
         bytes missing, neither type nor length",
        "at least half of the answers are shown",
        Run::Relay(|rig| Box::pin(polled(rig))),
    )
    .needs(Needs::Http)
    .short(),
    Case::new(
        "listen-scanner",
        "a camera connects and sends a picture every 3 s for 12 s; in between, a port scanner \
         connects and sends nothing",
        "the camera's connection lasts",
        Run::Relay(|rig| Box::pin(scanner(rig))),
    ),
    Case::new(
        "relay-stopped",
        "SIGSTOP for 12 s, then SIGCONT; the cameras keep sending",
        "the relay gives up no camera",
        Run::Relay(|rig| Box::pin(stopped(rig))),
    )
    .alone(),
];

async fn polled(rig: &mut RelayRig) -> Result<Findings> {
    let camera = Camera::start(|_, mut conn: Conn| async move {
        loop {
            conn.request().await?;
            if !answer(&mut conn).await? {
                return Ok(());
            }
        }
    })
    .await?;
    let mut watcher = rig.watched(&camera.http_url("/#fps=10"), &camera).await?;
    watcher.fresh(secs(5)).await?;
    last(8).await;
    let pictures = watcher.seen().pictures;
    let odd = camera.sequence.last();
    ensure!(pictures >= 40, "{pictures} pictures in 8 s; {odd} answers");
    Ok(Findings::seen(format!(
        "{pictures} pictures in {odd} answers"
    )))
}

/// Answers one request. Returns whether the connection stays open.
async fn answer(conn: &mut Conn) -> io::Result<bool> {
    let (number, picture) = conn.sequence.next();
    match number % 8 {
        1 => conn.send(BUSY).await?,
        3 => conn.answer("text/html", b"<html></html>").await?,
        5 => {
            let head = ok_head("image/jpeg", picture.len() + 48);
            conn.send(&[head.as_bytes(), &picture].concat()).await?;
        }
        7 => {
            let head = b"HTTP/1.1 200 OK\r\n\r\n";
            conn.send(&[head, &picture[..]].concat()).await?;
        }
        _ => conn.answer("image/jpeg", &picture).await?,
    }
    Ok(!matches!(number % 8, 5 | 7))
}

async fn scanner(rig: &mut RelayRig) -> Result<Findings> {
    let connected = listening(rig).await?;
    let addr = connected.peer_addr()?;
    let sequence = Arc::new(Sequence::of(jpeg::numbered(0)));
    let mut sender = Conn::over(connected, &sequence);
    let mut scans = Vec::new();
    for _ in 0..4 {
        sender.picture().await?;
        sleep(Duration::from_millis(2500)).await;
        scans.push(TcpStream::connect(addr).await?);
        sleep(Duration::from_millis(500)).await;
    }
    sender.picture().await?;
    let what = "all five pictures have arrived";
    let status = rig.until(what, secs(5), |now| now.frames == 5).await?;
    ensure!(status.reconnects == 0, "the scanner displaced the camera");
    Ok(Findings::seen("5 of 5 pictures, on one connection"))
}

async fn stopped(rig: &mut RelayRig) -> Result<Findings> {
    let (addr, camera) = good(rig).await?;
    let since = Instant::now();
    rig.relay.process.signal(Signal::STOP)?;
    last(12).await;
    rig.relay.process.signal(Signal::CONT)?;
    let cpu_waits = Arc::clone(&rig.relay.process.cpu_waits);
    cpu_waits.was_stopped(since, Instant::now());
    let mut watcher = rig.watch(addr, &camera).await?;
    watcher.fresh(secs(5)).await?;
    last(1).await;
    for name in ["bystander", FAULTY] {
        let status = rig.relay.status(name).await?;
        ensure!(
            status.reconnects == 0,
            "the relay gave up {name}: {:?}",
            status.last_error
        );
    }
    Ok(Findings::seen("no camera was given up"))
}

const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
