//! Cameras whose bytes are much work for the relay.

use std::time::Duration;

use anyhow::{Result, ensure};
use bytes::Bytes;
use mjpeg_testkit::jpeg;
use tokio::time::{Instant, sleep};

use super::steps::{Switch, made, secs};
use crate::{
    camera::{Camera, Conn},
    case::{Case, Findings, Needs, Run},
    inside::Start,
    rig::relay::{FAULTY, RelayRig},
};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "camera-hostile-checked",
        "pictures of 13 MiB whose scan is the most work to check, one a second for 5 s; the relay checks pictures",
        "",
        Run::Relay(|rig| Box::pin(hostile(rig))),
    )
    .alone()
    .most_mib(64),
    Case::new(
        "camera-fill-bytes",
        "15 MiB of FF: before a picture, between two segments, in the scan, before EOI; again and again for 5 s",
        "",
        Run::Relay(|rig| Box::pin(fill(rig))),
    )
    .alone()
    .most_mib(64),
    Case::new(
        "http-endless-continue",
        "`100 Continue` again and again, as fast as the relay reads, for 5 s",
        "",
        Run::Relay(|rig| Box::pin(endless_continue(rig))),
    )
    .alone()
    .needs(Needs::Http)
    .short(),
];

async fn hostile(rig: &mut RelayRig) -> Result<Findings> {
    let picture = made(hostile_picture).await?;
    repeated(rig, picture, secs(1), true).await
}

async fn fill(rig: &mut RelayRig) -> Result<Findings> {
    let pictures = made(|| {
        let picture = jpeg::numbered(0);
        let fill = vec![0xff; 15 << 20];
        // Before the picture, between two segments, in the scan, before EOI.
        let places = [0, 2, picture.len() / 2, picture.len() - 2];
        places.map(|at| [&picture[..at], &fill[..], &picture[at..]].concat())
    })
    .await?;
    repeated(rig, pictures.concat(), Duration::ZERO, false).await
}

/// Sends a picture again and again for 5 s.
async fn repeated(
    rig: &mut RelayRig,
    picture: Vec<u8>,
    every: Duration,
    check: bool,
) -> Result<Findings> {
    let picture = Bytes::from(picture);
    let sent = Switch::default();
    let tell = sent.clone();
    let camera = Camera::start(move |_, mut conn: Conn| {
        let (tell, picture) = (tell.clone(), picture.clone());
        async move {
            let since = Instant::now();
            while since.elapsed() < secs(5) {
                conn.send(&picture).await?;
                sleep(every).await;
            }
            tell.on();
            conn.silent().await
        }
    })
    .await?;
    let stream = Start::of(FAULTY, camera.url());
    rig.start_stream(Start { check, ..stream }).await?;
    sent.wait(secs(30)).await?;
    let status = rig.status().await?;
    ensure!(status.panics == 0, "it panicked");
    Ok(Findings::seen(format!(
        "{} such pictures relayed, {} held back or discarded",
        status.frames, status.discarded
    )))
}

async fn endless_continue(rig: &mut RelayRig) -> Result<Findings> {
    let camera = Camera::start(|_, mut conn: Conn| async move {
        conn.request().await?;
        let heads = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(1000);
        loop {
            conn.send(&heads).await?;
        }
    })
    .await?;
    rig.stream(&camera.http_url("/")).await?;
    sleep(secs(5)).await;
    let status = rig.status().await?;
    let error = status.last_error.unwrap_or("no error".into());
    Ok(Findings::seen(format!(
        "{} attempts; {error}",
        camera.accepted()
    )))
}

/// A gray picture whose codes are one bit long. Each block has two bits, and there are 13 MiB.
fn hostile_picture() -> Vec<u8> {
    let mut picture = vec![0xff, 0xd8];
    let mut segment = |marker: u8, payload: &[u8]| {
        picture.extend_from_slice(&[0xff, marker]);
        picture.extend_from_slice(&(payload.len() as u16 + 2).to_be_bytes());
        picture.extend_from_slice(payload);
    };
    segment(0xdb, &[&[0][..], &[1; 64]].concat());
    segment(0xc0, &[8, 0xff, 0xff, 0xff, 0xff, 1, 1, 0x11, 0]);
    // For DC: no difference. For AC: end of block.
    for table in [0x00, 0x10] {
        let mut lengths = [0; 16];
        lengths[0] = 1;
        segment(0xc4, &[&[table][..], &lengths, &[0]].concat());
    }
    segment(0xda, &[1, 1, 0, 0, 63, 0]);
    picture.resize(picture.len() + (13 << 20), 0);
    picture.extend_from_slice(&[0xff, 0xd9]);
    picture
}
