//! The relay's own page: its wall of cameras moves, and goes on after an outage of the network.

use std::{net::IpAddr, path::Path, process::Command, time::Duration};

use anyhow::{Context as _, Result, bail};
use fantoccini::Client;
use kit::relay::Relay;
use tokio::time::{Instant, sleep};

use crate::seen::until;

/// Opens the page of a relay with some cameras, and returns what it says of itself: how the
/// pictures reach it, and how old they are.
pub(crate) async fn check(client: &Client, ip: IpAddr, program: &Path) -> Result<String> {
    let mut command = Command::new(program);
    command.args(["--log", "error", "run", "--listen"]);
    command.arg(format!("{ip}:0"));
    for camera in 1..=CAMERAS {
        command.arg("--stream");
        command.arg(format!("camera{camera}=test:?size=320x180&fps=5"));
    }
    let relay = Relay::start(&mut command).await?;
    client.goto(&format!("http://{}/", relay.addr)).await?;
    moves(client).await.context("the wall")?;
    let told = "return document.documentElement.dataset.wall";
    let mode = client.execute(told, vec![]).await?;
    let ages = "return [...document.querySelectorAll('[data-stream]')]
        .map((tile) => tile.dataset.ageMs).join(' ')";
    let ages = client.execute(ages, vec![]).await?;
    let (mode, ages) = (mode.as_str(), ages.as_str());
    let (mode, ages) = (mode.unwrap_or_default(), ages.unwrap_or_default());
    Ok(format!("{CAMERAS} cameras by {mode}, pictures {ages} ms old"))
}

/// Waits until the picture of each tile has changed a few times.
async fn moves(client: &Client) -> Result<()> {
    let least = format!(
        "const tiles = [...document.querySelectorAll('[data-stream]')];
         const frames = tiles.map((tile) => Number(tile.dataset.frames));
         return tiles.length === {CAMERAS} && Math.min(...frames) > 2 || null"
    );
    until(client, &least).await.map(|_| ())
}

const CAMERAS: usize = 6;
