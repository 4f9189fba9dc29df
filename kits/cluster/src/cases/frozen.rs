//! An owner that stands still and then runs again.

use anyhow::{Context as _, Result};
use rustix::process::Signal;
use tokio::time::{Instant, sleep};

use crate::{
    case::Case,
    measure::{Limit, Unit},
    rig::{LEASE, Rig},
    wait::{millis, secs, until},
};

pub(super) const CASES: &[Case] = &[Case::new(
    "stop-owner",
    "SIGSTOP of the owner, SIGCONT 5 to 8 s later",
    &[
        Limit::p50(NEXT, 3.5),
        Limit::p99(NEXT, 4.5),
        Limit::most(TWO, 0.1).in_unit(Unit::Milliseconds),
    ],
    |rig| Box::pin(stop_owner(rig)),
)
.rounds(20)
.at_once(2.0)];

async fn stop_owner(rig: &mut Rig) -> Result<()> {
    // The camera serves both, or the frozen one would be reset from the other side.
    rig.camera().journal.set_mode(crate::camera::Mode::Many);
    let owner = rig.owner().await?;
    rig.some_time().await;
    let then = Instant::now();
    rig.nodes[owner].signal(Signal::STOP)?;
    let next = rig
        .time_to_next_of_next_owner(NEXT, owner, rig.others(owner), then)
        .await;
    let frozen = secs(5) + LEASE.mul_f64(rig.rng.f64());
    sleep(frozen.saturating_sub(then.elapsed())).await;
    let again = Instant::now();
    rig.nodes[owner].signal(Signal::CONT)?;
    next?;
    let journal = &rig.camera().journal;
    let closed = until(
        "the frozen node closes its connection",
        secs(10),
        async || Ok(journal.closed_by(again, crate::rig::host(owner).ip().into())),
    );
    let closed = closed.await.context("two connections after SIGCONT")?;
    rig.tally.time(TWO, closed - again);
    // An old picture would come now.
    sleep(LEASE + millis(500)).await;
    rig.watcher(owner)?.fresh(secs(20)).await?;
    Ok(())
}

const NEXT: &str = "first picture of the next owner, at the other nodes";
const TWO: &str = "two connections, from SIGCONT on";
