//! An engine that loses its leader, or is gone.

use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep};

use crate::{
    case::Case,
    measure::Limit,
    rig::{LEASE, NODES, Rig, host, network::Host, parts::Plan},
    wait::secs,
};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "kill-leader",
        "kill -9 of etcd's leader (of three), which is started again after 5 s",
        &[Limit::count(LOST, 0.0), Limit::most(GAP, 0.2)],
        |rig| Box::pin(kill_leader(rig)),
    )
    .plan(Plan::THREE_ENGINES),
    Case::new(
        "engine-killed",
        "all of etcd (three) is killed, and started again after 60 s",
        &[Limit::count(LOST, 0.0), Limit::most(GAP, 0.2)],
        |rig| Box::pin(engine_killed(rig)),
    )
    .plan(Plan::THREE_ENGINES)
    .rounds(3),
    Case::new(
        "engine-cut",
        "all links to the engine are cut for 60 s",
        &[Limit::count(LOST, 0.0), Limit::most(GAP, 0.2)],
        |rig| Box::pin(engine_cut(rig)),
    )
    .rounds(3),
];

async fn kill_leader(rig: &mut Rig) -> Result<()> {
    let leader = rig.etcd.leader().await?;
    rig.some_time().await;
    let then = Instant::now();
    rig.etcd.kill(leader);
    sleep(secs(5)).await;
    rig.etcd.revive(leader)?;
    rig.etcd.healthy().await?;
    sleep(LEASE).await;
    nothing_lost(rig, then)
}

async fn engine_killed(rig: &mut Rig) -> Result<()> {
    rig.some_time().await;
    let then = Instant::now();
    for member in 0..rig.etcd.count() {
        rig.etcd.kill(member);
    }
    sleep(AWAY).await;
    for member in 0..rig.etcd.count() {
        rig.etcd.revive(member)?;
    }
    rig.etcd.healthy().await?;
    sleep(3 * LEASE).await;
    nothing_lost(rig, then)
}

async fn engine_cut(rig: &mut Rig) -> Result<()> {
    rig.some_time().await;
    let then = Instant::now();
    for node in 0..NODES {
        rig.network.cut(host(node), Host::Engine(0))?;
    }
    sleep(AWAY).await;
    rig.network.mend()?;
    sleep(3 * LEASE).await;
    nothing_lost(rig, then)
}

/// Notes connections of the camera that ended, and the gaps at all nodes.
fn nothing_lost(rig: &mut Rig, then: Instant) -> Result<()> {
    let closed = rig.camera().journal.closed(then);
    rig.tally.sample(LOST, closed as f64);
    rig.gaps(GAP, 0..NODES, then)
}

const AWAY: Duration = secs(60);
const LOST: &str = "connections that the camera lost";
const GAP: &str = "longest gap at any node";
