//! A stream that is read only while somebody watches.

use anyhow::Result;
use tokio::time::sleep;

use crate::{
    case::Case,
    measure::{Limit, Unit},
    rig::{NODES, Rig, host, parts::Plan},
    wait::secs,
};

pub(super) const CASES: &[Case] = &[Case::new(
    "last-viewer-gone",
    "the last viewer of a node leaves; the others stay; `on_demand` with a linger of 2 s",
    &[
        Limit::count(AFTER, ONE_PICTURE).in_unit(Unit::Bytes),
        Limit::count(BEFORE, 0.0).in_unit(Unit::Bytes).shown(),
        Limit::count(STILL, 0.0),
    ],
    |rig| Box::pin(last_viewer_gone(rig)),
)
.plan(Plan::ON_DEMAND)
.rounds(5)];

async fn last_viewer_gone(rig: &mut Rig) -> Result<()> {
    let owner = rig.owner().await?;
    let edge = (owner + 1) % NODES;
    let before = received(rig, edge).await?;
    rig.tally.sample(BEFORE, before);
    rig.leave(edge, true);
    // The linger, and a second.
    sleep(secs(3)).await;
    let after = received(rig, edge).await?;
    rig.tally.sample(AFTER, after);
    rig.watch(edge).await?;
    // The last viewer of all: the camera is let go.
    for node in 0..NODES {
        rig.leave(node, true);
    }
    sleep(secs(6)).await;
    let open = rig.camera().journal.open().len();
    rig.tally.sample(STILL, open as f64);
    Ok(())
}

/// How many bytes a node receives in five seconds.
async fn received(rig: &Rig, node: usize) -> Result<f64> {
    let before = rig.network.received(host(node))?;
    sleep(secs(5)).await;
    Ok((rig.network.received(host(node))? - before) as f64)
}

const BEFORE: &str = "received in 5 s by a node with a viewer";
const AFTER: &str = "received in 5 s, from linger + 1 s on";
const STILL: &str = "connections of the camera, 6 s after the last viewer of all";
/// The engine's and the link's own bytes are far less than the least picture.
const ONE_PICTURE: f64 = 100_000.0;
