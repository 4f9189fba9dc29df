//! Cameras whose connections last but whose bytes are wrong, too many, or oddly split.

use std::time::Duration;

use anyhow::{Result, ensure};
use bytes::Bytes;
use fastrand::Rng;
use mjpeg_testkit::{Faults, jpeg};
use tokio::time::{Instant, sleep};

use super::steps::{Switch, last, made, secs, timed};
use crate::{
    camera::{Camera, Conn, INTERVAL},
    case::{Case, Findings, Run},
    rig::relay::RelayRig,
    sequence::{Sequence, numbered},
};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "camera-garbage",
        "random bytes, 1 MB/s for 5 s, then pictures on the same connection",
        "counted as discarded",
        Run::Relay(|rig| Box::pin(garbage(rig))),
    )
    .short(),
    Case::new(
        "camera-damaged",
        "2,000 pictures, half of them cut off or with bytes overwritten, garbage in between",
        "each whole picture is relayed",
        Run::Relay(|rig| Box::pin(damaged(rig))),
    )
    .short(),
    Case::new(
        "camera-endless-frame",
        "a picture that never ends, 64 MB of it, then pictures on the same connection",
        "dropped at 16 MiB, counted as too large",
        Run::Relay(|rig| Box::pin(endless(rig))),
    )
    .alone()
    .most_mib(40),
    Case::new(
        "camera-huge-frame",
        "a picture of 100 MB that does end, then pictures on the same connection",
        "dropped at 16 MiB, counted as too large",
        Run::Relay(|rig| Box::pin(huge(rig))),
    )
    .alone()
    .short()
    .most_mib(40),
    Case::new(
        "camera-byte-by-byte",
        "each byte in a segment of its own, for 8 s",
        "its own viewers lose nothing either",
        Run::Relay(|rig| Box::pin(byte_by_byte(rig))),
    )
    .alone(),
    Case::new(
        "camera-jitter",
        "pictures in chunks of random size, 0 to 300 ms between them, for 10 s",
        "each picture comes whole",
        Run::Relay(|rig| Box::pin(jitter(rig))),
    ),
    Case::new(
        "camera-changes-size",
        "another picture size with each picture, 64x48 to 1920x1088, for 5 s",
        "its own viewers lose nothing either",
        Run::Relay(|rig| Box::pin(changes_size(rig))),
    )
    .short()
    .most_mib(16),
];

async fn garbage(rig: &mut RelayRig) -> Result<Findings> {
    let good = Switch::default();
    let tell = good.clone();
    let seed = rig.random.u64(..);
    let camera = Camera::start(move |n, mut conn: Conn| {
        let (tell, mut random) = (tell.clone(), Rng::with_seed(seed + n as u64));
        async move {
            let mut chunk = vec![0; 10 << 10];
            for _ in 0..500 {
                random.fill(&mut chunk);
                conn.send(&chunk).await?;
                sleep(Duration::from_millis(10)).await;
            }
            tell.on();
            conn.live().await
        }
    })
    .await?;
    let addr = rig.stream(&camera.url()).await?;
    let mut watcher = rig.watch(addr, &camera).await?;
    good.wait(secs(30)).await?;
    let took = timed(watcher.fresh(secs(20))).await?;
    let status = rig.status().await?;
    ensure!(status.discarded > 0, "nothing was counted");
    ensure!(status.reconnects == 0, "it was given up");
    // The last false start may claim a segment of 64 KB, which is 16 pictures.
    Ok(Findings::seen(format!("{} pieces discarded", status.discarded)).recovered(took, secs(2)))
}

async fn damaged(rig: &mut RelayRig) -> Result<Findings> {
    let seed = rig.random.u64(..);
    let (damaged, chunks) = made(move || {
        let picture = jpeg::numbered(0);
        let pictures: Vec<Bytes> = (0..DAMAGED).map(|n| numbered(&picture, n)).collect();
        let mut faults = Faults::new(seed);
        let damaged = faults.damage(&pictures);
        let chunks = faults.chunks(&damaged.stream);
        (damaged, chunks)
    })
    .await?;
    let camera = Camera::start(move |_, mut conn: Conn| {
        let chunks = chunks.clone();
        async move {
            for chunk in chunks {
                conn.send(&chunk).await?;
            }
            conn.silent().await
        }
    })
    .await?;
    rig.stream(&camera.url()).await?;
    let intact = damaged.intact.len() as u64;
    let status = rig
        .until("all whole pictures", secs(30), |status| {
            status.frames >= intact
        })
        .await?;
    let more = status.frames - intact;
    // A picture with overwritten bytes in its scan may still look whole. What is shown must be well
    // formed, and it is.
    Ok(Findings::seen(format!(
        "{intact} of {intact} whole pictures came, {more} others, {} pieces discarded",
        status.discarded
    )))
}

async fn endless(rig: &mut RelayRig) -> Result<Findings> {
    too_large(rig, 64 << 20, false).await
}

async fn huge(rig: &mut RelayRig) -> Result<Findings> {
    too_large(rig, 100_000_000, true).await
}

/// A picture with this many bytes in its scan.
async fn too_large(rig: &mut RelayRig, bytes: usize, ends: bool) -> Result<Findings> {
    let good = Switch::default();
    let tell = good.clone();
    let camera = Camera::start(move |_, mut conn: Conn| {
        let tell = tell.clone();
        async move {
            let picture = jpeg::numbered(0);
            conn.send(&picture[..picture.len() - 2]).await?;
            let chunk = vec![0x55; 64 << 10];
            for _ in 0..bytes / chunk.len() {
                conn.send(&chunk).await?;
            }
            if ends {
                conn.send(&[0xff, 0xd9]).await?;
            }
            tell.on();
            conn.live().await
        }
    })
    .await?;
    let addr = rig.stream(&camera.url()).await?;
    let mut watcher = rig.watch(addr, &camera).await?;
    good.wait(secs(60)).await?;
    let took = timed(watcher.fresh(secs(20))).await?;
    let status = rig.status().await?;
    ensure!(status.too_large == 1, "too large: {}", status.too_large);
    ensure!(status.reconnects == 0, "it was given up");
    Ok(Findings::seen("1 picture too large").recovered(took, secs(2)))
}

async fn byte_by_byte(rig: &mut RelayRig) -> Result<Findings> {
    let sequence = Sequence::of(jpeg::numbered(0));
    let done = Switch::default();
    let over = done.clone();
    let camera = Camera::with(sequence, move |_, mut conn: Conn| {
        let over = over.clone();
        async move {
            while !over.is_on() {
                let (_, picture) = conn.sequence.next();
                for byte in picture {
                    conn.send(&[byte]).await?;
                }
                sleep(INTERVAL * 2).await;
            }
            conn.silent().await
        }
    })
    .await?;
    rig.good_stream(&camera).await?;
    last(8).await;
    done.on();
    Ok(Findings::seen(format!(
        "{} pictures",
        camera.sequence.last()
    )))
}

async fn jitter(rig: &mut RelayRig) -> Result<Findings> {
    let seed = rig.random.u64(..);
    let done = Switch::default();
    let over = done.clone();
    let camera = Camera::start(move |n, mut conn: Conn| {
        let (over, mut random) = (over.clone(), Rng::with_seed(seed + n as u64));
        async move {
            while !over.is_on() {
                let (_, mut picture) = conn.sequence.next();
                while !picture.is_empty() {
                    let length = random.usize(1..=picture.len());
                    conn.send(&picture.split_to(length)).await?;
                    sleep(Duration::from_millis(random.u64(0..300))).await;
                }
            }
            conn.silent().await
        }
    })
    .await?;
    let addr = rig.stream(&camera.url()).await?;
    let mut watcher = rig.watch(addr, &camera).await?;
    last(10).await;
    done.on();
    let seen = watcher.settle().await;
    ensure!(seen.lost == 0, "{} of its own pictures lost", seen.lost);
    ensure!(seen.pictures > 5, "{} pictures came", seen.pictures);
    Ok(Findings::seen(format!(
        "{} pictures, none lost",
        seen.pictures
    )))
}

async fn changes_size(rig: &mut RelayRig) -> Result<Findings> {
    let sizes = [(64, 48), (1920, 1088), (320, 240), (1280, 720), (16, 16)];
    let templates =
        made(move || sizes.map(|(width, height)| jpeg::sized(0, width, height))).await?;
    let camera = Camera::start(move |_, mut conn: Conn| {
        let templates = templates.clone();
        async move {
            let since = Instant::now();
            for template in templates.iter().cycle() {
                let picture = numbered(template, conn.sequence.next().0);
                conn.send(&picture).await?;
                sleep(INTERVAL * 2).await;
                if since.elapsed() > secs(5) {
                    break;
                }
            }
            conn.silent().await
        }
    })
    .await?;
    rig.good_stream(&camera).await?;
    last(6).await;
    let status = rig.status().await?;
    ensure!(
        status.size.is_some_and(|size| sizes.contains(&size)),
        "the size is {:?}",
        status.size
    );
    Ok(Findings::seen(format!("{} pictures", status.frames)))
}

const DAMAGED: u32 = 2000;
