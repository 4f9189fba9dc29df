//! Cameras whose pictures claim to be larger than they are.

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use mjpeg_testkit::{Viewer, jpeg};

use super::steps::{last, made, secs};
use crate::{
    camera::{Camera, Conn},
    case::{Case, Findings, Run},
    inside::Start,
    rig::relay::RelayRig,
    sequence::{Sequence, numbered},
    wait,
};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "cameras-claim-65535",
        "eight cameras that send a small picture which claims 65535x65535, and hang up, for 8 s; \
         nobody watches",
        "the relay uses at most 1 s of CPU time",
        Run::Relay(|rig| Box::pin(claims(rig))),
    )
    .alone()
    .short()
    .most_mib(32),
    Case::new(
        "camera-bit-flip",
        "a good camera of 1280x720 whose last picture claims 17664 columns, by a flipped bit",
        "the placeholder appears, in a size that browsers show",
        Run::Relay(|rig| Box::pin(bit_flip(rig))),
    )
    .short()
    .most_mib(32),
];

async fn claims(rig: &mut RelayRig) -> Result<Findings> {
    let before = rig.relay.process.cpu_time()?;
    let mut cameras = Vec::new();
    for n in 0..8 {
        let camera = Camera::start(|_, mut conn: Conn| async move {
            let picture = numbered(&jpeg::sized(0, 16, 16), conn.sequence.next_number());
            conn.send(&claiming(&picture, u16::MAX, u16::MAX)).await
        })
        .await?;
        let stream = Start::of(format!("claims{n}"), camera.url());
        rig.start_stream(stream).await?;
        cameras.push(camera);
    }
    last(8).await;
    let used = rig.relay.process.cpu_time()? - before;
    ensure!(used < secs(1), "the relay used {used:.1?} of CPU time");
    let sent: usize = cameras.iter().map(Camera::accepted).sum();
    Ok(Findings::seen(format!(
        "{sent} such pictures, {:.2} s of CPU time",
        used.as_secs_f64()
    )))
}

async fn bit_flip(rig: &mut RelayRig) -> Result<Findings> {
    let sequence = Sequence::of(made(|| jpeg::sized(0, 1280, 720)).await?);
    let camera = Camera::with(sequence, |n, mut conn: Conn| async move {
        if n > 0 {
            return Ok(());
        }
        conn.live_for(secs(1)).await?;
        let (_, picture) = conn.sequence.next();
        let (width, height) = size(&picture);
        conn.send(&claiming(&picture, width ^ 0x4000, height)).await
    })
    .await?;
    let addr = rig.stream(&camera.url()).await?;
    let mut viewer = Viewer::open(addr, "/").await?;
    let placeholder = wait::until("the placeholder appears", secs(30), async || {
        let picture = viewer.next_frame().await?.context("the response ended")?;
        Ok(jpeg::number_of(&picture).is_none().then_some(picture))
    })
    .await?;
    let (width, height) = size(&placeholder);
    let pixels = u64::from(width) * u64::from(height);
    ensure!(pixels < 2_500_000, "the placeholder is {width}x{height}");
    Ok(Findings::seen(format!("a placeholder of {width}x{height}")))
}

/// Changes the size in a picture's header.
fn claiming(picture: &[u8], width: u16, height: u16) -> Bytes {
    let at = size_at(picture);
    let mut claims = picture.to_vec();
    claims[at..at + 2].copy_from_slice(&height.to_be_bytes());
    claims[at + 2..at + 4].copy_from_slice(&width.to_be_bytes());
    claims.into()
}

/// Reads width and height from a picture's header.
fn size(picture: &[u8]) -> (u16, u16) {
    let at = size_at(picture);
    let side = |at: usize| u16::from_be_bytes([picture[at], picture[at + 1]]);
    (side(at + 2), side(at))
}

/// The offset of the height: in SOF0, behind the length and the precision.
fn size_at(picture: &[u8]) -> usize {
    let sof = picture.windows(2).position(|pair| pair == [0xff, 0xc0]);
    sof.expect("the picture is a baseline JPEG") + 5
}
