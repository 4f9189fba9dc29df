//! What a cluster costs: CPU time beside that of what it replaces, in the same run, and the delay
//! that a node adds. Pictures of 100 kB, 30 a second, on the loopback interface.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use tokio::time::{Instant, sleep};

use crate::{
    case::Case,
    measure::{Limit, Unit},
    rig::{
        local::{Local, LocalPlan, Meter},
        setting::Setting,
        tally::Tally,
    },
    wait::secs,
    watcher::Watcher,
};

pub(super) const CASES: &[Case] = &[
    Case::alone(
        "cost-owner",
        "CPU time of the owner: four further edges, beside four further viewers, by turns",
        &[
            Limit::p50(RATIO, 1.05).in_unit(Unit::Ratio),
            Limit::p50(VIEWER, 0.0).in_unit(Unit::Milliseconds).shown(),
            Limit::p50(EDGE, 0.0).in_unit(Unit::Milliseconds).shown(),
        ],
        |setting, tally| Box::pin(owner(setting, tally, "cost-owner", false)),
    ),
    Case::alone(
        "cost-owner-tls",
        "the same with TLS between nodes, beside viewers without",
        &[
            Limit::p50(RATIO, 0.0).in_unit(Unit::Ratio).shown(),
            Limit::p50(VIEWER, 0.0).in_unit(Unit::Milliseconds).shown(),
            Limit::p50(EDGE, 0.0).in_unit(Unit::Milliseconds).shown(),
        ],
        |setting, tally| Box::pin(owner(setting, tally, "cost-owner-tls", true)),
    ),
    Case::alone(
        "cost-edge",
        "CPU time of an edge without viewers, beside a relay that reads the camera by tcp",
        &[
            Limit::p50(RATIO, 1.15).in_unit(Unit::Ratio),
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

async fn owner(setting: &Setting, tally: &mut Tally, name: &'static str, tls: bool) -> Result<()> {
    let plan = LocalPlan {
        edges: FURTHER,
        alone: false,
        tls,
        // So that an edge without a viewer reads nothing.
        keys: "on_demand = true\nlinger = \"1s\"",
    };
    let local = Local::set(setting, name, plan).await?;
    // The camera stays connected.
    let _first = local.watch(&local.owner).await?;
    for round in 0..TURNS {
        // By turns, so that a machine that becomes slower is not the fault of one of them.
        let order = if round % 2 == 0 {
            [true, false]
        } else {
            [false, true]
        };
        let mut shares = HashMap::new();
        for edges in order {
            let mut viewers: Vec<Watcher> = Vec::new();
            for edge in &local.edges {
                let node = if edges { edge } else { &local.owner };
                viewers.push(local.watch(node).await?);
            }
            shares.insert(edges, measure(&local).await?);
            drop(viewers);
            // The linger, and the time to see it.
            sleep(secs(3)).await;
        }
        let idle = measure(&local).await?;
        let per_frame = |share: f64| (share - idle) / f64::from(FURTHER) / FPS;
        let (edge, viewer) = (per_frame(shares[&true]), per_frame(shares[&false]));
        tally.sample(EDGE, edge);
        tally.sample(VIEWER, viewer);
        tally.sample(RATIO, edge / viewer);
    }
    Ok(())
}

/// The owner's share of a core in the next seconds.
async fn measure(local: &Local) -> Result<f64> {
    sleep(secs(1)).await;
    let meter = Meter::start(&local.owner)?;
    sleep(secs(5)).await;
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
    sleep(secs(2)).await;
    for _ in 0..2 * TURNS {
        let meters = (Meter::start(&local.edges[0])?, Meter::start(alone)?);
        sleep(secs(4)).await;
        let (edge, tcp) = (meters.0.share()? / FPS, meters.1.share()? / FPS);
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
const FPS: f64 = 30.0;
const RATIO: &str = "ratio";
const EDGE: &str = "an edge, per picture";
const VIEWER: &str = "a viewer, per picture";
const TCP: &str = "by tcp, per picture";
const HOP: &str = "added by the hop";
