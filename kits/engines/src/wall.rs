//! The relay's own page: its wall of cameras moves, also on a slow link and after a cut.

use std::{fs, net::IpAddr, path::Path, process::Command, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use fantoccini::Client;
use kit::{folder::Temporary, network::run, relay::Relay};
use tokio::time::sleep;

use crate::network::NAMESPACES;

/// Opens the page of a relay with some cameras, and returns what it says of itself: how the
/// pictures reach it, and how old they are; in the kit's own network also on a slow link, and after
/// one that was cut for so long.
pub(crate) async fn check(
    client: &Client,
    ip: IpAddr,
    program: &Path,
    cut: Duration,
) -> Result<String> {
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
    let mode = mode.as_str().unwrap_or_default();
    let said = format!(
        "{CAMERAS} cameras by {mode}, {}",
        said_of(&ages(client).await?)
    );
    if !NAMESPACES.is_inside() {
        return Ok(said);
    }
    let slow = on_a_slow_link(client).await?;
    after_a_cut(client, cut).await?;
    Ok(format!(
        "{said}; at {SLOW} {}; after {} s without a link they moved again",
        said_of(&[slow]),
        cut.as_secs()
    ))
}

fn said_of(ages: &[Duration]) -> String {
    let oldest = ages.iter().max().copied().unwrap_or_default();
    format!("pictures up to {} ms old", oldest.as_millis())
}

/// The ages that the tiles show. One without a picture counts as no time.
async fn ages(client: &Client) -> Result<Vec<Duration>> {
    let ages = "return [...document.querySelectorAll('[data-stream]')]
        .map((tile) => Number(tile.dataset.ageMs))";
    let ages = client.execute(ages, vec![]).await?;
    let ages = ages.as_array().context("a list of ages")?;
    let ms = ages.iter().map(|age| age.as_u64().unwrap_or_default());
    Ok(ms.map(Duration::from_millis).collect())
}

/// Returns the greatest age on a link that cannot carry all pictures. The page is reached through
/// the loopback device, like all addresses of this machine.
async fn on_a_slow_link(client: &Client) -> Result<Duration> {
    run("ip link set lo mtu 1500")?;
    run(&format!(
        "tc qdisc add dev lo root tbf rate {SLOW} burst 16kb limit 64kb"
    ))?;
    // Pictures that were on their way.
    sleep(Duration::from_secs(3)).await;
    let mut oldest = Duration::ZERO;
    for _ in 0..10 {
        sleep(Duration::from_millis(500)).await;
        oldest = oldest.max(ages(client).await?.into_iter().max().unwrap_or_default());
    }
    let moved = moves(client).await;
    run("tc qdisc del dev lo root")?;
    moved.context("the wall on a slow link")?;
    ensure!(
        oldest <= OLDEST,
        "on a link of {SLOW}, a picture was {oldest:?} old"
    );
    Ok(oldest)
}

/// Cuts the link without a word to either side, and expects the page to say how old its pictures
/// are, and to go on by itself.
async fn after_a_cut(client: &Client, cut: Duration) -> Result<()> {
    run("ip route del local 10.77.0.1 dev view0 table local")?;
    sleep(cut).await;
    let shown = ages(client).await;
    run("ip route add local 10.77.0.1 dev view0 table local proto kernel scope host")?;
    let newest = shown?.into_iter().filter(|age| !age.is_zero()).min();
    ensure!(
        newest.is_none_or(|newest| newest + Duration::from_secs(2) >= cut),
        "after {cut:?} without a link, a picture is said to be {newest:?} old"
    );
    for _ in 0..TRIES {
        sleep(Duration::from_millis(200)).await;
        let ages = ages(client).await?;
        if ages.len() == CAMERAS && ages.iter().all(|age| !age.is_zero() && *age <= OLDEST) {
            return moves(client).await.context("the wall after a cut");
        }
    }
    bail!(
        "after {cut:?} without a link, the pictures stay old: {:?}",
        ages(client).await?
    )
}

/// Waits until the picture of each tile has changed a few times.
async fn moves(client: &Client) -> Result<()> {
    let least = format!(
        "const tiles = [...document.querySelectorAll('[data-stream]')];
         const frames = tiles.map((tile) => Number(tile.dataset.frames));
         const moved = (window.before ??= []).length === {CAMERAS}
           && frames.every((number, at) => number > window.before[at] + 2);
         if (moved) window.before = [];
         else if (window.before.length !== frames.length) window.before = frames;
         return moved"
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
/// Less than the cameras need.
const SLOW: &str = "1mbit";
/// The greatest age on a slow link, by what the wall promises.
const OLDEST: Duration = Duration::from_secs(2);
