//! The relay's own page: its wall of cameras moves.

use std::{fs, net::IpAddr, path::Path, process::Command, time::Duration};

use anyhow::{Context as _, Result, bail};
use fantoccini::Client;
use kit::{folder::Temporary, relay::Relay};
use tokio::time::sleep;

/// Opens the page of a relay with some cameras, and returns what it says of itself: how the
/// pictures reach it, and how old they are.
pub(crate) async fn check(client: &Client, ip: IpAddr, program: &Path) -> Result<String> {
    let mut settings = format!("[[listen]]\naddress = \"{ip}:0\"\n");
    for camera in 1..=CAMERAS {
        settings += &format!(
            "[[streams]]\nname = \"camera{camera}\"\nsource = \"test:?size=320x180&fps=5\"\n"
        );
    }
    let folder = Temporary::new(&format!("engines-wall-{}", std::process::id()))?;
    let file = folder.path().join("mjpeg.toml");
    fs::write(&file, settings)?;
    let mut command = Command::new(program);
    command
        .args(["--log", "error", "run", "--config"])
        .arg(&file);
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
    Ok(format!(
        "{CAMERAS} cameras by {mode}, pictures {ages} ms old"
    ))
}

/// Waits until the picture of each tile has changed a few times.
async fn moves(client: &Client) -> Result<()> {
    let least = format!(
        "const tiles = [...document.querySelectorAll('[data-stream]')];
         const frames = tiles.map((tile) => Number(tile.dataset.frames));
         return tiles.length === {CAMERAS} && Math.min(...frames) > 2"
    );
    for _ in 0..TRIES {
        if client
            .execute(&least, vec![])
            .await
            .is_ok_and(|is| is == true)
        {
            return Ok(());
        }
        sleep(Duration::from_millis(100)).await;
    }
    let shown = client
        .execute("return document.body.innerText", vec![])
        .await?;
    bail!("it does not move: {shown}")
}

const CAMERAS: usize = 6;
/// Browsers without a graphics card on a busy machine are slow.
const TRIES: usize = 300;
