//! Cameras whose connections last, but whose bytes are wrong, too many, or split in odd places.

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
        "it is counted as discarded",
        Run::Relay(|rig| Box::pin(garbage(rig))),
    )
    .short(),
    Case::new(
        "camera-damaged",
        "2,000 pictures, half of them cut short or partly overwritten, with garbage in between",
        "each whole picture is relayed",
        Run::Relay(|rig| Box::pin(damaged(rig))),
    )
    .short(),
    Case::new(
        "camera-endless-frame",
        "64 MB of a picture without an end, then pictures on the same connection",
        "the picture is dropped at 16 MiB and counted as too large",
        Run::Relay(|rig| Box::pin(endless(rig))),
    )
    .alone()
    .most_mib(40),
    Case::new(
        "camera-huge-frame",
        "a complete picture of 100 MB, then pictures on the same connection",
        "the picture is dropped at 16 MiB and counted as too large",
        Run::Relay(|rig| Box::pin(huge(rig))),
    )
    .alone()
    .short()
    .most_mib(40),
    Case::new(
        "camera-byte-by-byte",
        "each byte in a TCP segment of its own, for 8 s",
        "its own viewers lose nothing either",
        Run::Relay(|rig| Box::pin(byte_by_byte(rig))),
    )
    .alone(),
    Case::new(
        "camera-jitter",
        "pictures in chunks of random size, 0 to 300 ms apart, for 10 s",
        "each picture arrives whole",
        Run::Relay(|rig| Box::pin(jitter(rig))),
    ),
    Case::new(
        "camera-changes-size",
        "pictures of changing sizes, 16x16 to 1920x1088, for 5 s",
        "its own viewers lose nothing either",
        Run::Relay(|rig| Box::pin(changes_size(rig))),
    )
    .short()
    .most_mib(16),
];

async fn garbage(rig: &mut RelayRig) -> Result<Findings> {
    let good = Switch::default();
    let turned_good = good.clone();
    let seed = rig.random.u64(..);
    let camera = Camera::start(move |n, mut conn: Conn| {
        let turned_good = turned_good.clone();
        let mut random = Rng::with_seed(seed + n as u64);
        async move {
            let mut chunk = vec![0; 10 << 10];
            for _ in 0..500 {
                random.fill(&mut chunk);
                conn.send(&chunk).await?;
                sleep(Duration::from_millis(10)).await;
            }
            turned_good.on();
            conn.live().await
        }
    })
    .await?;
    let mut watcher = rig.watched(&camera.url(), &camera).await?;
    good.wait(secs(30)).await?;
    let took = timed(watcher.fresh(secs(20))).await?;
    let status = rig.status().await?;
    ensure!(status.discarded > 0, "nothing was counted as discarded");
    ensure!(status.reconnects == 0, "the relay has reconnected");
    // The last false start of a picture may announce a segment of 64 KB, as long as 16 pictures.
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
        .until("all whole pictures", secs(30), |now| now.frames >= intact)
        .await?;
    let more = status.frames - intact;
    // A picture whose scan was overwritten may still be well formed, so the relay may show it.
    Ok(Findings::seen(format!(
        "{intact} of {intact} whole pictures arrived, {more} others, {} pieces discarded",
        status.discarded
    )))
}

async fn endless(rig: &mut RelayRig) -> Result<Findings> {
    too_large(rig, 64 << 20, false).await
}

async fn huge(rig: &mut RelayRig) -> Result<Findings> {
    too_large(rig, 100_000_000, true).await
}

/// Sends a picture with a scan of this many bytes.
async fn too_large(rig: &mut RelayRig, bytes: usize, ends: bool) -> Result<Findings> {
    let good = Switch::default();
    let turned_good = good.clone();
    let camera = Camera::start(move |_, mut conn: Conn| {
        let turned_good = turned_good.clone();
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
            turned_good.on();
            conn.live().await
        }
    })
    .await?;
    let mut watcher = rig.watched(&camera.url(), &camera).await?;
    good.wait(secs(60)).await?;
    let took = timed(watcher.fresh(secs(20))).await?;
    let status = rig.status().await?;
    ensure!(
        status.too_large == 1,
        "{} pictures were counted as too large",
        status.too_large
    );
    ensure!(status.reconnects == 0, "the relay has reconnected");
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
    let mut watcher = rig.watched(&camera.url(), &camera).await?;
    last(10).await;
    done.on();
    let seen = watcher.settle().await;
    ensure!(seen.lost == 0, "{} of its own pictures lost", seen.lost);
    ensure!(seen.pictures > 5, "{} pictures arrived", seen.pictures);
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
        "the size is said to be {:?}",
        status.size
    );
    Ok(Findings::seen(format!("{} pictures", status.frames)))
}

const DAMAGED: u32 = 2000;
