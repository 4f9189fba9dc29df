//! Nodes that leave in order.

use std::net::IpAddr;

use anyhow::Result;
use tokio::time::{Instant, sleep};

use crate::{
    case::Case,
    measure::Limit,
    rig::{NODES, Rig, host},
    wait::{secs, until},
};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "hand-over",
        "the owner is ended by SIGTERM",
        &[Limit::p50(GAP, 1.0), Limit::p99(GAP, 1.0)],
        |rig| Box::pin(hand_over(rig)),
    ),
    Case::new(
        "move",
        "`mjpeg-server cluster move` to another node, asked of any node",
        &[Limit::p50(ANY, 1.0), Limit::p99(ANY, 1.0)],
        |rig| Box::pin(move_camera(rig)),
    )
    .rounds(20),
    Case::new(
        "rolling-restart",
        "each relay in turn is ended by SIGTERM and started again, 10 s apart",
        &[Limit::p99(GAP, 1.0)],
        |rig| Box::pin(rolling_restart(rig)),
    )
    .rounds(5),
];

async fn hand_over(rig: &mut Rig) -> Result<()> {
    let owner = rig.owner().await?;
    rig.some_time().await;
    restart(rig, owner).await
}

async fn move_camera(rig: &mut Rig) -> Result<()> {
    let owner = rig.owner().await?;
    let others: Vec<usize> = rig.others(owner).collect();
    let to = others[rig.rng.usize(..others.len())];
    let asked = rig.rng.usize(..NODES);
    rig.some_time().await;
    let then = Instant::now();
    rig.move_camera(asked, to).await?;
    let camera = rig.camera();
    until("the camera is the other node's", secs(10), async || {
        let open = camera.journal.open();
        Ok((open[..] == [IpAddr::V4(host(to).ip())]).then_some(()))
    })
    .await?;
    for node in 0..NODES {
        rig.watcher(node)?.fresh(secs(20)).await?;
    }
    rig.gaps(ANY, 0..NODES, then)
}

async fn rolling_restart(rig: &mut Rig) -> Result<()> {
    for node in 0..NODES {
        restart(rig, node).await?;
        rig.settle().await?;
        sleep(secs(3)).await;
    }
    Ok(())
}

/// Restarts a node, and notes the gaps at the others.
async fn restart(rig: &mut Rig, node: usize) -> Result<()> {
    let then = Instant::now();
    rig.terminate(node).await?;
    rig.nodes[node].start()?;
    rig.watch(node).await?;
    for other in rig.others(node) {
        rig.watcher(other)?.fresh(secs(20)).await?;
    }
    rig.gaps(GAP, rig.others(node), then)
}

const ANY: &str = "longest gap at any node";
const GAP: &str = "longest gap at the other nodes";
