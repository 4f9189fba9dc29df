//! Cameras whose bytes take the relay much work.

use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use mjpeg_testkit::jpeg;
use tokio::time::sleep;

use super::steps::{last, made, secs};
use crate::{
    camera::{Camera, Conn, STREAM, part_head},
    case::{Case, Findings, Needs, Run},
    inside::Start,
    rig::relay::RelayRig,
};

pub(super) const CASES: &[Case] = &[
    busy(
        "camera-hostile-checked",
        "pictures of 13 MiB whose scans take the most work to check, one per second for 5 s; the \
         relay checks pictures",
        Run::Relay(|rig| Box::pin(hostile(rig))),
    )
    .short()
    .most_mib(64),
    busy(
        "camera-fill-bytes",
        "two cameras with 15 MiB of FF before EOI in each picture, for 5 s",
        Run::Relay(|rig| Box::pin(fill(rig))),
    )
    .most_mib(160),
    busy(
        "http-endless-continue",
        "two cameras that send `100 Continue` again and again, as fast as they can, for 5 s",
        Run::Relay(|rig| Box::pin(endless_continue(rig))),
    )
    .short(),
];

const fn busy(name: &'static str, injected: &'static str, run: Run) -> Case {
    Case::new(name, injected, "", run)
        .alone()
        .needs(Needs::Http)
}

async fn hostile(rig: &mut RelayRig) -> Result<Findings> {
    let body = made(|| part(&hostile_picture())).await?;
    let camera = repeating(STREAM, body, secs(1)).await?;
    relayed(rig, &[camera], true).await
}

async fn fill(rig: &mut RelayRig) -> Result<Findings> {
    let body = made(|| {
        let picture = jpeg::numbered(0);
        let (start, eoi) = picture.split_at(picture.len() - 2);
        part(&[start, &vec![0xff; 15 << 20], eoi].concat())
    })
    .await?;
    let cameras = [
        repeating(STREAM, body.clone(), Duration::ZERO).await?,
        repeating(STREAM, body, Duration::ZERO).await?,
    ];
    relayed(rig, &cameras, false).await
}

async fn endless_continue(rig: &mut RelayRig) -> Result<Findings> {
    // As short as possible. A reason phrase that is not the usual one is more work for an HTTP
    // library.
    let body = Bytes::from(b"HTTP/1.1 100 C\r\n\r\n".repeat(40_000));
    let cameras = [
        repeating(b"", body.clone(), Duration::ZERO).await?,
        repeating(b"", body, Duration::ZERO).await?,
    ];
    relayed(rig, &cameras, false).await
}

/// Starts a camera that answers with this head, then sends the same bytes again and again.
async fn repeating(head: &'static [u8], body: Bytes, every: Duration) -> Result<Camera> {
    Camera::start(move |_, mut conn: Conn| {
        let body = body.clone();
        async move {
            conn.request().await?;
            conn.send(head).await?;
            loop {
                conn.send(&body).await?;
                sleep(every).await;
            }
        }
    })
    .await
}

/// Relays these cameras for 5 s.
async fn relayed(rig: &mut RelayRig, cameras: &[Camera], check: bool) -> Result<Findings> {
    for (n, camera) in cameras.iter().enumerate() {
        let stream = Start::of(format!("busy{n}"), camera.http_url("/"));
        rig.start_stream(Start { check, ..stream }).await?;
    }
    last(5).await;
    let status = rig.relay.status("busy0").await?;
    let error = status.last_error.unwrap_or("no error".into());
    let (frames, discarded) = (status.frames, status.discarded);
    Ok(Findings::seen(format!(
        "{frames} pictures relayed, {discarded} held back or discarded; {error}"
    )))
}

/// A part of a multipart stream.
fn part(picture: &[u8]) -> Bytes {
    let head = part_head(picture.len());
    [head.as_bytes(), picture].concat().into()
}

/// A gray picture of 13 MiB whose codes have one bit each, so that every two bits are a block.
fn hostile_picture() -> Vec<u8> {
    let mut picture = vec![0xff, 0xd8];
    let mut segment = |marker: u8, payload: &[u8]| {
        picture.extend_from_slice(&[0xff, marker]);
        picture.extend_from_slice(&(payload.len() as u16 + 2).to_be_bytes());
        picture.extend_from_slice(payload);
    };
    segment(0xdb, &[&[0][..], &[1; 64]].concat());
    segment(0xc0, &[8, 0xff, 0xff, 0xff, 0xff, 1, 1, 0x11, 0]);
    // The codes mean: no difference (DC), end of block (AC).
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
