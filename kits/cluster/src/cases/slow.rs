//! A slow link between two nodes.

use anyhow::Result;
use tokio::time::{Instant, sleep};

use crate::{
    case::Case,
    measure::{Limit, Unit},
    rig::{Rig, host, parts::Plan},
    wait::secs,
};

pub(super) const CASES: &[Case] = &[Case::new(
    "slow-link",
    "8 Mbit/s with a queue of 32 KB to another node, for a stream of 24 Mbit/s, for 60 s",
    &[
        Limit::p50(AGE, 0.25),
        Limit::p99(AGE, 0.45),
        Limit::p99(OTHER, 0.1).in_unit(Unit::Milliseconds).shown(),
    ],
    |rig| Box::pin(slow_link(rig)),
)
.plan(Plan::LARGE)
.once(secs(150))];

async fn slow_link(rig: &mut Rig) -> Result<()> {
    let owner = rig.owner().await?;
    let others: Vec<usize> = rig.others(owner).collect();
    rig.network.narrow(host(others[0]), 8)?;
    sleep(secs(3)).await;
    let from = Instant::now();
    sleep(secs(60)).await;
    for (what, node) in [(AGE, others[0]), (OTHER, others[1])] {
        let ages = rig
            .watcher(node)?
            .look(|seen| seen.ages(from, Instant::now()));
        for age in ages {
            rig.tally.time(what, age);
        }
    }
    Ok(())
}

const AGE: &str = "age behind the slow link";
const OTHER: &str = "age at the third node";
