//! Links that are cut: between the owner and the engine, between relays, or both.

use anyhow::Result;
use tokio::time::{Instant, sleep};

use crate::{
    case::{Case, Short},
    measure::Limit,
    rig::{LEASE, Rig},
    wait::secs,
};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "cut-engine",
        "the owner's link to the engine is cut for 8 s",
        &[
            Limit::p50(NEXT, 3.5),
            Limit::p99(NEXT, 4.5),
            Limit::p99(BACK, 4.5),
        ],
        |rig| Box::pin(cut_engine(rig)),
    )
    .short(Short::Cut),
    Case::new(
        "cut-relays",
        "the owner's links to the other relays are cut for 8 s",
        &[Limit::most(OWN, 0.2), Limit::p99(BACK, 4.5)],
        |rig| Box::pin(cut_relays(rig)),
    )
    .short(Short::Cut),
    Case::new(
        "cut-both",
        "the owner's links to the engine and to the other relays are cut for 8 s",
        &[
            Limit::p50(NEXT, 3.5),
            Limit::p99(NEXT, 4.5),
            Limit::p99(BACK, 4.5),
        ],
        |rig| Box::pin(cut_both(rig)),
    )
    .short(Short::Cut),
];

async fn cut_engine(rig: &mut Rig) -> Result<()> {
    let owner = rig.owner().await?;
    rig.some_time().await;
    let then = Instant::now();
    rig.cut_engine(owner)?;
    // The owner is still reached by the others, so its own viewer goes on, too.
    rig.time_to_next_of_next_owner(NEXT, owner, rig.others(owner), then)
        .await?;
    mend(rig, then).await
}

async fn cut_relays(rig: &mut Rig) -> Result<()> {
    let owner = rig.owner().await?;
    rig.some_time().await;
    let then = Instant::now();
    rig.cut_relays(owner)?;
    sleep(CUT).await;
    rig.gaps(OWN, [owner], then)?;
    mend(rig, then).await
}

async fn cut_both(rig: &mut Rig) -> Result<()> {
    let owner = rig.owner().await?;
    rig.some_time().await;
    let then = Instant::now();
    rig.cut_engine(owner)?;
    rig.cut_relays(owner)?;
    rig.time_to_next_of_next_owner(NEXT, owner, rig.others(owner), then)
        .await?;
    mend(rig, then).await
}

/// Mends all links when they have been cut for long enough, and waits for pictures everywhere.
async fn mend(rig: &mut Rig, cut: Instant) -> Result<()> {
    sleep(CUT.saturating_sub(cut.elapsed())).await;
    rig.network.mend()?;
    let then = Instant::now();
    rig.time_to_next(BACK, 0..crate::rig::NODES, then).await?;
    // A node that had the camera before may be wrong about it only now.
    sleep(LEASE).await;
    Ok(())
}

const CUT: std::time::Duration = secs(8);
/// From the next owner: those made after the cut may still come from the one before.
const NEXT: &str = "first picture of the next owner, at the other nodes";
const OWN: &str = "longest gap at the owner";
const BACK: &str = "next picture at every node once the links are mended";
