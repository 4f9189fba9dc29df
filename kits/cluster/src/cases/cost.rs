//! What a cluster costs: CPU time beside that of what it replaces, in the same run, and the delay
//! that a node adds. Pictures of 100 kB, 30 a second, on the loopback interface.

use std::{collections::HashMap, time::Duration};

use anyhow::{Context as _, Result, ensure};
use kit::child::Child;
use tokio::time::{Instant, sleep};

use crate::{
    case::Case,
    measure::{Limit, Unit},
    reader,
    rig::{
        PATH,
        local::{BYTES, Local, LocalPlan, Meter},
        setting::Setting,
        tally::Tally,
    },
    wait::secs,
    watcher::Watcher,
};

pub(super) const CASES: &[Case] = &[
    Case::alone(
        "cost-owner",
        "CPU time of the owner: four further readers by the link, beside four by HTTP, by turns",
        &[
            Limit::p50(RATIO, 1.05).in_unit(Unit::Ratio),
            Limit::p50(VIEWER, 0.0).in_unit(Unit::Milliseconds).shown(),
            Limit::p50(LINK, 0.0).in_unit(Unit::Milliseconds).shown(),
        ],
        |setting, tally| Box::pin(owner(setting, tally, "cost-owner", Further::Links)),
    ),
    Case::alone(
        "cost-owner-tls",
        "the same with four relays in place of the readers by the link, over TLS",
        &[
            Limit::p50(RATIO, 0.0).in_unit(Unit::Ratio).shown(),
            Limit::p50(VIEWER, 0.0).in_unit(Unit::Milliseconds).shown(),
            Limit::p50(EDGE, 0.0).in_unit(Unit::Milliseconds).shown(),
        ],
        |setting, tally| Box::pin(owner(setting, tally, "cost-owner-tls", Further::Edges)),
    ),
    Case::alone(
        "cost-edge",
        "CPU time of an edge without viewers, less that of a member without streams, beside a relay \
         that reads the camera by tcp",
        &[
            Limit::p50(RATIO, 1.15).in_unit(Unit::Ratio),
            Limit::p50(MEMBER, 0.0).in_unit(Unit::Milliseconds).shown(),
            Limit::p50(TCP, 0.0).in_unit(Unit::Milliseconds).shown(),
            Limit::p50(EDGE, 0.0).in_unit(Unit::Milliseconds).shown(),
        ],
        |setting, tally| Box::pin(edge(setting, tally)),
    ),
    Case::alone(
        "hop",
        "how much later a picture comes from an edge than from the owner",
        &[
            Limit::p50(HOP, 0.0003).in_unit(Unit::Milliseconds),
            Limit::p99(HOP, 0.005).in_unit(Unit::Milliseconds),
        ],
        |setting, tally| Box::pin(hop(setting, tally)),
    ),
];

/// What is added to an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Further {
    /// Processes that read the stream as viewers do.
    Viewers,
    /// The same program, which reads as nodes do.
    Links,
    /// Relays, each with a viewer, because the stream is on demand.
    Edges,
}

async fn owner(
    setting: &Setting,
    tally: &mut Tally,
    name: &'static str,
    further: Further,
) -> Result<()> {
    let has_edges = further == Further::Edges;
    let plan = LocalPlan {
        edges: if has_edges { FURTHER } else { 0 },
        alone: false,
        tls: has_edges,
        keys: "on_demand = true\nlinger = \"1s\"",
    };
    let local = Local::set(setting, name, plan).await?;
    // The camera stays connected.
    let _first = local.watch(&local.owner).await?;
    for turn in 0..TURNS {
        // By turns, so that a machine that becomes slower is not the fault of one of them.
        let (viewers, others) = if turn % 2 == 0 {
            let viewers = measure_with(&local, Further::Viewers).await?;
            (viewers, measure_with(&local, further).await?)
        } else {
            let others = measure_with(&local, further).await?;
            (measure_with(&local, Further::Viewers).await?, others)
        };
        let idle = measure(&local).await?;
        let per_picture = |load: Load| (load.share - idle) / load.pictures;
        let (viewer, other) = (per_picture(viewers), per_picture(others));
        tally.sample(if has_edges { EDGE } else { LINK }, other);
        tally.sample(VIEWER, viewer);
        tally.sample(RATIO, other / viewer);
    }
    Ok(())
}

/// An owner at work.
#[derive(Clone, Copy, Debug)]
struct Load {
    /// Of a core.
    share: f64,
    /// How many pictures a second the further ones have got together.
    pictures: f64,
}

/// What the owner does with these.
async fn measure_with(local: &Local, further: Further) -> Result<Load> {
    let plan = &local.owner.plan;
    let (mut readers, mut watchers) = (Vec::new(), Vec::new());
    for number in 0..FURTHER {
        match further {
            Further::Viewers => readers.push(reader::start(plan.http, PATH)?),
            Further::Links => {
                let link = plan.member.as_ref().context("the owner is a member")?;
                readers.push(reader::start(link.link, LINK_PATH)?);
            }
            Further::Edges => {
                let edge = &local.edges[usize::from(number)];
                watchers.push(local.watch(edge).await?);
            }
        }
    }
    let from = Instant::now();
    let share = measure(local).await?;
    let mut pictures = 0.0;
    for reader in &mut readers {
        let bytes = bytes_in(reader, MEASURED.as_secs()).await?;
        pictures += bytes / BYTES as f64 / MEASURED.as_secs_f64();
    }
    for watcher in &watchers {
        let arrived = watcher.look(|seen| seen.within(from, Instant::now()).count());
        pictures += arrived as f64 / from.elapsed().as_secs_f64();
    }
    ensure!(pictures > 0.0, "no picture has come");
    drop((readers, watchers));
    // The linger, and the time to see it.
    sleep(secs(3)).await;
    Ok(Load { share, pictures })
}

/// How many bytes a reader has read in its second and the next seconds.
async fn bytes_in(reader: &mut Child, seconds: u64) -> Result<f64> {
    let before: f64 = reader.line().await?.parse()?;
    let mut after = before;
    for _ in 0..seconds {
        after = reader.line().await?.parse()?;
    }
    Ok(after - before)
}

/// The owner's share of a core in the next seconds.
async fn measure(local: &Local) -> Result<f64> {
    sleep(secs(1)).await;
    let meter = Meter::start(&local.owner)?;
    sleep(MEASURED).await;
    meter.share()
}

async fn edge(setting: &Setting, tally: &mut Tally) -> Result<()> {
    let plan = LocalPlan {
        edges: 1,
        alone: true,
        tls: false,
        keys: "",
    };
    let local = Local::set(setting, "cost-edge", plan).await?;
    let alone = local.alone.as_ref().context("it was asked for")?;
    let idle = local.idle.as_ref().context("it comes with that")?;
    sleep(secs(2)).await;
    for _ in 0..2 * TURNS {
        let edge = Meter::start(&local.edges[0])?;
        let (idle, alone) = (Meter::start(idle)?, Meter::start(alone)?);
        sleep(secs(4)).await;
        let (edge, idle) = (edge.share()?, idle.share()?);
        tally.sample(MEMBER, idle);
        // To be a member costs the same, however many streams are read.
        let (edge, tcp) = ((edge - idle) / FPS, alone.share()? / FPS);
        tally.sample(EDGE, edge);
        tally.sample(TCP, tcp);
        tally.sample(RATIO, edge / tcp);
    }
    Ok(())
}

async fn hop(setting: &Setting, tally: &mut Tally) -> Result<()> {
    let plan = LocalPlan {
        edges: 1,
        alone: false,
        tls: false,
        keys: "",
    };
    let local = Local::set(setting, "hop", plan).await?;
    let near = local.watch(&local.owner).await?;
    let far = local.watch(&local.edges[0]).await?;
    let from = Instant::now();
    sleep(secs(60)).await;
    let to = Instant::now();
    let arrivals = |watcher: &Watcher| -> HashMap<u32, Instant> {
        watcher.look(|seen| {
            let within = seen.within(from, to);
            within.map(|it| (it.number, it.at)).collect()
        })
    };
    let far = arrivals(&far);
    for (number, near) in arrivals(&near) {
        if let Some(far) = far.get(&number) {
            let later = far.saturating_duration_since(near);
            tally.time(HOP, later);
        }
    }
    Ok(())
}

/// Edges, or viewers.
const FURTHER: u16 = 4;
/// How often they take turns.
const TURNS: u32 = 6;
const MEASURED: Duration = secs(5);
const FPS: f64 = 30.0;
const LINK_PATH: &str = "/cluster/v1/streams/cam1";
const RATIO: &str = "ratio";
const LINK: &str = "a reader by the link, per picture";
const EDGE: &str = "an edge, per picture";
const VIEWER: &str = "a reader by HTTP, per picture";
const MEMBER: &str = "a member without streams, per second";
const TCP: &str = "by tcp, per picture";
const HOP: &str = "added by the hop";
