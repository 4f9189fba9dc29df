//! A camera that is gone.

use anyhow::{Context as _, Result};
use tokio::time::{Instant, sleep};

use crate::{
    case::Case,
    measure::Limit,
    rig::{NODES, Rig, host, http::metric, network::Host},
    wait::{millis, secs, until},
};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "camera-off",
        "the camera closes its connection and refuses others for 5 s",
        // A camera that is lost again and again is retried ever more rarely, every 30 s at last.
        &[Limit::most(LATER, 1.0), Limit::p99(BACK, 35.0)],
        |rig| Box::pin(off(rig)),
    )
    .rounds(5),
    Case::new(
        "camera-unplugged",
        "the camera's cable is pulled out for 25 s: nothing comes, nothing is closed",
        &[Limit::most(LATER, 1.0), Limit::p99(BACK, 15.0)],
        |rig| Box::pin(unplugged(rig)),
    )
    .rounds(3),
];

async fn off(rig: &mut Rig) -> Result<()> {
    let owner = rig.owner().await?;
    rig.camera().unplug();
    all_say_so(rig, owner).await?;
    sleep(secs(5)).await;
    rig.plug_camera()?;
    back(rig).await
}

async fn unplugged(rig: &mut Rig) -> Result<()> {
    let owner = rig.owner().await?;
    let then = Instant::now();
    for node in 0..NODES {
        rig.network.cut(host(node), Host::Camera)?;
    }
    all_say_so(rig, owner).await?;
    sleep(secs(25).saturating_sub(then.elapsed())).await;
    rig.network.mend()?;
    back(rig).await
}

/// Waits until every node says that the camera is lost. Notes how much later than the owner.
async fn all_say_so(rig: &mut Rig, owner: usize) -> Result<()> {
    let mut said = [None; NODES];
    until(
        "every node says that the camera is lost",
        secs(30),
        async || {
            for (node, said) in said.iter_mut().enumerate() {
                let up = metric(rig.nodes[node].plan.http, "mjpeg_stream_up", LABELS).await?;
                let up = up.context("no mjpeg_stream_up among the metrics")?;
                if up == 0.0 && said.is_none() {
                    *said = Some(Instant::now());
                }
            }
            Ok(said.iter().all(Option::is_some).then_some(()))
        },
    )
    .await?;
    let first = said[owner].context("the owner has said so")?;
    for said in said.into_iter().flatten() {
        rig.tally.time(LATER, said.saturating_duration_since(first));
    }
    Ok(())
}

async fn back(rig: &mut Rig) -> Result<()> {
    let then = Instant::now();
    rig.time_to_next(BACK, 0..NODES, then).await?;
    sleep(millis(500)).await;
    Ok(())
}

const LABELS: &str = "{stream=\"cam1\"}";
const LATER: &str = "how much later than the owner a node says so";
const BACK: &str = "next picture at every node once the camera is back";
