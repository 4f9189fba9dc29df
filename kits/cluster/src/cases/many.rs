//! A hundred cameras of a node that dies.

use std::net::IpAddr;

use anyhow::{Result, ensure};
use tokio::time::{Instant, sleep};

use crate::{
    case::Case,
    measure::Limit,
    rig::{LEASE, Rig, host, parts::Plan},
    wait::{secs, until},
};

pub(super) const CASES: &[Case] = &[Case::new(
    "hundred-cameras",
    "kill -9 of the node that is connected to all of 100 cameras",
    &[
        Limit::most(SPREAD, 1.0),
        Limit::most(LAST, 5.5),
        Limit::count(MOST, 1.0),
    ],
    |rig| Box::pin(hundred(rig)),
)
.plan(Plan::HUNDRED)
.once(secs(180))];

async fn hundred(rig: &mut Rig) -> Result<()> {
    // All cameras are the first node's, because it was alone for a while.
    let owners = rig.cameras.iter().map(|camera| camera.journal.open());
    let owners: Vec<_> = owners.collect();
    let first: IpAddr = host(0).ip().into();
    let has_all = owners.iter().all(|open| open[..] == [first]);
    ensure!(has_all, "the first node does not have all cameras");
    rig.some_time().await;
    let then = Instant::now();
    rig.kill(0);
    let moved = until("all cameras are connected again", secs(30), async || {
        let cameras = rig.cameras.iter();
        let moved: Vec<Instant> = cameras
            .filter_map(|camera| camera.journal.first_accept(then))
            .collect();
        Ok((moved.len() == rig.cameras.len()).then_some(moved))
    });
    let moved = moved.await?;
    let first = moved.iter().min().copied().unwrap_or(then);
    let last = moved.iter().max().copied().unwrap_or(then);
    rig.tally.time(SPREAD, last - first);
    rig.tally.time(LAST, last - then);
    sleep(LEASE).await;
    let most = rig
        .cameras
        .iter()
        .map(|camera| camera.journal.most_open(then));
    rig.tally.sample(MOST, most.max().unwrap_or(0) as f64);
    for node in rig.others(0) {
        rig.watcher(node)?.fresh(secs(20)).await?;
    }
    Ok(())
}

const SPREAD: &str = "from the first camera that is connected again to the last";
const LAST: &str = "from the kill to the last";
const MOST: &str = "connections at any camera, at once";
