//! Many pictures: small ones, whose framing is a large part of the stream, and pictures that arrive
//! in bursts or faster than viewers read them.

use std::{fmt::Write as _, path::Path, process::Command, time::Duration};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use mjpeg_testkit::jpeg;
use tokio::time::{Instant, interval, sleep};

use super::steps::{Switch, last, made, secs, timed};
use crate::{
    camera::{Camera, Conn, STREAM},
    case::{Case, Findings, Needs, Run},
    inside::Start,
    rig::relay::RelayRig,
    sequence::numbered,
};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "small-pictures",
        "four good streams of small pictures, 2 MB/s each: an ESP32 camera's, raw gray ones, ones \
         with ustreamer's headers, ones with parts of text in between",
        "each picture is relayed",
        Run::Relay(|rig| Box::pin(small(rig))),
    )
    .alone()
    .short()
    .needs(Needs::Http),
    Case::new(
        "camera-bursts",
        "four pictures at once every 160 ms, for 5 s",
        "its own viewers get each of them",
        Run::Relay(|rig| Box::pin(bursts(rig))),
    )
    .short(),
    Case::new(
        "camera-floods",
        "2,000 pictures a second for 8 s",
        "its viewers get the newest pictures",
        Run::Relay(|rig| Box::pin(floods(rig))),
    )
    .alone()
    .most_mib(16),
];

async fn small(rig: &mut RelayRig) -> Result<Findings> {
    let streams = made(|| -> Result<_> {
        Ok([
            ("esp32", true, recorded("esp32_96x96.http.gz")?),
            ("gray", false, recorded("gray_32x24.mjpeg.gz")?),
            ("ustreamer", true, multipart(USTREAMER, 10_000)),
            ("text", true, multipart(TEXT, 5_000)),
        ])
    })
    .await??;
    let mut cameras = Vec::new();
    for (name, speaks_http, bytes) in streams {
        let pictures = bytes.windows(3).filter(|three| *three == SOI).count() as u64;
        let camera = Camera::start(move |n, mut conn: Conn| {
            let bytes = bytes.clone();
            async move {
                if speaks_http {
                    conn.request().await?;
                }
                if n == 0 {
                    let mut ticks = interval(Duration::from_millis(10));
                    for chunk in bytes.chunks(20_000) {
                        ticks.tick().await;
                        conn.send(chunk).await?;
                    }
                }
                conn.silent().await
            }
        })
        .await?;
        let url = if speaks_http {
            camera.http_url("/")
        } else {
            camera.url()
        };
        rig.start_stream(Start::of(name, url)).await?;
        cameras.push((name, pictures, camera));
    }
    let (mut seen, mut lost) = (String::new(), Vec::new());
    for (name, pictures, _camera) in &cameras {
        let arrived = count_arrived(rig, name, *pictures).await?;
        let _ = write!(seen, "{name} {arrived} of {pictures}, ");
        if arrived != *pictures {
            lost.push(format!("{name}: {arrived} of {pictures} arrived"));
        }
    }
    ensure!(lost.is_empty(), "{}", lost.join("; "));
    Ok(Findings::seen(seen.trim_end_matches(", ")))
}

/// Waits until all pictures of a stream have arrived, or none has for 3 s. Returns how many have.
async fn count_arrived(rig: &mut RelayRig, name: &str, all: u64) -> Result<u64> {
    let (mut arrived, mut at) = (0, Instant::now());
    while arrived < all && at.elapsed() < secs(3) {
        let status = rig.relay.status(name).await?;
        if status.frames > arrived {
            (arrived, at) = (status.frames, Instant::now());
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(arrived)
}

async fn bursts(rig: &mut RelayRig) -> Result<Findings> {
    let camera = Camera::start(|_, mut conn: Conn| async move {
        let mut ticks = interval(Duration::from_millis(160));
        let since = Instant::now();
        while since.elapsed() < secs(5) {
            ticks.tick().await;
            let burst: Vec<Bytes> = (0..4).map(|_| conn.sequence.next().1).collect();
            conn.send(&burst.concat()).await?;
        }
        conn.silent().await
    })
    .await?;
    rig.good_stream(&camera).await?;
    last(5).await;
    let pictures = camera.sequence.last();
    Ok(Findings::seen(format!(
        "{pictures} pictures in bursts of 4"
    )))
}

async fn floods(rig: &mut RelayRig) -> Result<Findings> {
    let over = Switch::default();
    let is_over = over.clone();
    let camera = Camera::start(move |_, mut conn: Conn| {
        let is_over = is_over.clone();
        async move {
            let since = Instant::now();
            let mut sent = 0;
            while !is_over.is_on() {
                // Several at once, because timers are not fine enough for one every 0.5 ms.
                while f64::from(sent) < since.elapsed().as_secs_f64() * 2000.0 {
                    conn.picture().await?;
                    sent += 1;
                }
                sleep(Duration::from_millis(5)).await;
            }
            conn.live().await
        }
    })
    .await?;
    let mut watcher = rig.watched(&camera.url(), &camera).await?;
    last(8).await;
    let frames = rig.status().await?.frames;
    let seen = watcher.seen();
    let behind = camera.sequence.last() - seen.last;
    over.on();
    let took = timed(watcher.fresh(secs(10))).await?;
    ensure!(behind < 1000, "its viewer was {behind} pictures behind");
    Ok(Findings::seen(format!(
        "{frames} pictures arrived, its viewer got {} of them and was {behind} behind at the end",
        seen.pictures
    ))
    .recovered(took, secs(1)))
}

/// Reads a stream from the kit's folder `data`.
fn recorded(name: &str) -> Result<Bytes> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("data")
        .join(name);
    let mut unpack = Command::new("gzip");
    let output = unpack.args(["-dc"]).arg(path).output().context("gzip")?;
    ensure!(output.status.success(), "gzip: {}", output.status);
    Ok(output.stdout.into())
}

/// Makes a multipart stream of small pictures. `before` precedes each of them.
fn multipart(before: &str, pictures: u32) -> Bytes {
    let template = jpeg::sized(0, 16, 16);
    let mut stream = STREAM.to_vec();
    for number in 0..pictures {
        let picture = numbered(&template, number);
        let before = before.replace("LENGTH", &picture.len().to_string());
        stream.extend_from_slice(before.as_bytes());
        stream.extend_from_slice(&picture);
        stream.extend_from_slice(b"\r\n");
    }
    stream.into()
}

const SOI: [u8; 3] = [0xff, 0xd8, 0xff];
/// The headers that ustreamer sends with `?extra_headers=1`.
const USTREAMER: &str = "--pictures\r\nContent-Type: image/jpeg\r\nContent-Length: LENGTH\r\n\
    X-Timestamp: 1700000000.000000\r\nX-UStreamer-Online: true\r\nX-UStreamer-Width: 16\r\n\
    X-UStreamer-Height: 16\r\nX-UStreamer-Client-FPS: 25\r\nX-UStreamer-Grab-Begin-Time: 1.0\r\n\
    X-UStreamer-Grab-End-Time: 1.0\r\nX-UStreamer-Encode-Begin-Time: 1.0\r\n\
    X-UStreamer-Encode-End-Time: 1.0\r\nX-UStreamer-Expose-Begin-Time: 1.0\r\n\
    X-UStreamer-Expose-End-Time: 1.0\r\nX-UStreamer-Send-Time: 1.0\r\n\
    X-UStreamer-Latency: 0.02\r\n\r\n";
/// A part of text, as some cameras send for events, and the headers of the picture.
const TEXT: &str = "--pictures\r\nContent-Type: text/plain\r\n\r\n\
    a=1\r\nb=2\r\nc=3\r\nd=4\r\ne=5\r\nf=6\r\ng=7\r\nh=8\r\ni=9\r\nj=10\r\nk=11\r\nl=12\r\n\
    m=13\r\nn=14\r\no=15\r\np=16\r\nq=17\r\nr=18\r\ns=19\r\nt=20\r\nu=21\r\nv=22\r\nw=23\r\n\
    --pictures\r\nContent-Type: image/jpeg\r\nContent-Length: LENGTH\r\n\r\n";
