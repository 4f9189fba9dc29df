//! Webcams that are pulled out, and whose buffers are damaged. The program sees a stand-in for the
//! driver.

use std::{collections::BTreeSet, net::SocketAddr, path::Path, time::Duration};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use mjpeg_testkit::{V4l2StandIn, Viewer, jpeg};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::steps::{last, secs};
use crate::{
    case::{Case, Findings, Run},
    launch::Launch,
    rig::program::ProgramRig,
};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "v4l2-unplugged",
        "a webcam is pulled out for 10 s and plugged in again",
        "its viewers keep their responses; the webcam is back within 2 s",
        Run::Program(|rig| Box::pin(unplugged(rig))),
    )
    .set_up(webcam)
    .short(),
    Case::new(
        "v4l2-damaged",
        "buffers of a webcam are empty, torn, marked as damaged, or have junk before or behind \
         their picture, for 5 s",
        "its viewers see each whole picture, and nothing else",
        Run::Program(|rig| Box::pin(damaged(rig))),
    )
    .set_up(webcam)
    .short(),
];

/// Adds a webcam with 30 pictures per second.
fn webcam(dir: &Path, launch: &mut Launch) -> Result<()> {
    let folder = dir.join(format!("webcam-{:016x}", fastrand::u64(..)));
    let cameras = V4l2StandIn::new(folder);
    cameras.plug(DEVICE, ABOUT);
    cameras.frames(DEVICE, &pictures(0..10));
    for (name, value) in cameras.envs() {
        launch.env.insert(name, value.display().to_string());
    }
    launch.add_stream("webcam", "v4l2:///dev/video0");
    Ok(())
}

fn pictures(numbers: std::ops::Range<u32>) -> Vec<(&'static str, Bytes)> {
    let names = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"].into_iter();
    names.zip(numbers.map(jpeg::numbered)).collect()
}

fn cameras(rig: &ProgramRig) -> Result<V4l2StandIn> {
    let folder = rig.launch.env.get("V4L2_STAND_IN");
    Ok(V4l2StandIn::existing(folder.context("no webcam")?))
}

async fn unplugged(rig: &mut ProgramRig) -> Result<Findings> {
    let cameras = cameras(rig)?;
    let mut viewers = Vec::new();
    for _ in 0..2 {
        viewers.push(Watching::open(rig.program.addrs[WEBCAM]).await?);
    }
    cameras.unplug(DEVICE);
    last(10).await;
    // Whether it is found soon would depend on luck, if the waits became longer and longer.
    let looks = cameras.log();
    let looks = looks.iter().filter(|line| line.starts_with("look")).count();
    ensure!(looks >= 8, "it was looked for {looks} times in 10 s");
    cameras.frames(DEVICE, &pictures(100..110));
    let since = Instant::now();
    cameras.replug(DEVICE, DEVICE);
    for viewer in &mut viewers {
        viewer
            .until(|seen| seen.last().is_some_and(|&n| n >= 100))
            .await?;
    }
    Ok(Findings::default().recovered(since.elapsed(), secs(2)))
}

async fn damaged(rig: &mut ProgramRig) -> Result<Findings> {
    let cameras = cameras(rig)?;
    let mut viewer = Watching::open(rig.program.addrs[WEBCAM]).await?;
    let whole = jpeg::numbered;
    let torn = whole(900).slice(..whole(900).len() / 2);
    let joined = |parts: &[&[u8]]| Bytes::from(parts.concat());
    cameras.frames(
        DEVICE,
        &[
            ("0.empty", Bytes::new()),
            ("1.error", whole(901)),
            ("2", torn.clone()),
            ("3", joined(&[&whole(100), &[0; 100_000]])),
            ("4", joined(&[b"junk", &whole(101)])),
            ("5", joined(&[&torn, &whole(102)])),
            ("6", whole(103)),
            ("7.long", whole(104)),
        ],
    );
    last(5).await;
    let seen = viewer
        .until(|seen| (100..105).all(|n| seen.contains(&n)))
        .await?;
    let wrong: Vec<_> = seen
        .iter()
        .filter(|n| !matches!(n, 0..10 | 100..105))
        .collect();
    ensure!(wrong.is_empty(), "a viewer sees {wrong:?}");
    Ok(Findings::seen(
        "5 of 8 buffers hold a whole picture; all 5 are shown",
    ))
}

/// A viewer of the webcam, and the numbers that it has seen.
struct Watching {
    seen: watch::Receiver<BTreeSet<u32>>,
    task: JoinHandle<()>,
}

impl Watching {
    /// Opens a viewer, and waits for its first picture.
    async fn open(addr: SocketAddr) -> Result<Self> {
        let mut viewer = Viewer::open(addr, "/").await?;
        let (tell, seen) = watch::channel(BTreeSet::new());
        let task = tokio::spawn(async move {
            // The end of the response ends the task, and that is told.
            while let Ok(Some(picture)) = viewer.next_frame().await {
                let number = jpeg::number_of(&picture);
                tell.send_modify(|seen| seen.extend(number));
            }
        });
        let mut opened = Self { seen, task };
        opened.until(|seen| !seen.is_empty()).await?;
        Ok(opened)
    }

    /// Waits until the numbers are as they should be.
    async fn until(&mut self, mut is: impl FnMut(&BTreeSet<u32>) -> bool) -> Result<BTreeSet<u32>> {
        let seen = timeout(LIMIT, self.seen.wait_for(|seen| is(seen))).await;
        let seen = seen.context("the pictures of the webcam do not come")?;
        Ok(seen
            .context("the response of a viewer of the webcam ended")?
            .clone())
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.task.abort();
    }
}

const DEVICE: &str = "video0";

/// The number of its stream, behind those of the good cameras.
const WEBCAM: usize = 2;

const ABOUT: &str = "card Webcam\nformat MJPG Motion-JPEG\nsize MJPG 64 48 30\n";

const LIMIT: Duration = Duration::from_secs(20);
