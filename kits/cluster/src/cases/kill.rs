//! Owners that die.

use anyhow::Result;
use tokio::time::Instant;

use crate::{
    case::{Case, Short},
    measure::Limit,
    rig::{Rig, parts::Plan},
};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "kill-owner",
        "kill -9 of the owner",
        &[Limit::p50(NEXT, 3.5), Limit::p99(NEXT, 4.5)],
        |rig| Box::pin(kill_owner(rig)),
    )
    .short(Short::Kill),
    Case::new(
        "kill-owner-and-leader",
        "kill -9 of the owner and of etcd's leader (of three) at once",
        &[Limit::p50(NEXT, 8.0), Limit::most(NEXT, 8.0)],
        |rig| Box::pin(kill_owner_and_leader(rig)),
    )
    .plan(Plan::THREE_ENGINES)
    .short(Short::Kill),
];

async fn kill_owner(rig: &mut Rig) -> Result<()> {
    let owner = rig.owner().await?;
    rig.some_time().await;
    let then = Instant::now();
    rig.kill(owner);
    rig.time_to_next(NEXT, rig.others(owner), then).await
}

async fn kill_owner_and_leader(rig: &mut Rig) -> Result<()> {
    let owner = rig.owner().await?;
    let leader = rig.etcd.leader().await?;
    rig.some_time().await;
    let then = Instant::now();
    rig.etcd.kill(leader);
    rig.kill(owner);
    rig.time_to_next(NEXT, rig.others(owner), then).await?;
    rig.etcd.revive(leader)?;
    rig.etcd.healthy().await
}

/// A picture that was made after the kill.
const NEXT: &str = "next picture at the other nodes";
