//! A wall of cameras at the end of a slow link.

use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, ensure};
use mjpeg_testkit::{WallClient, WallMessage};
use tokio::{net::TcpStream, time::Instant};

use super::steps::secs;
use crate::{
    case::{Case, Findings, Needs, Run},
    launch::Launch,
    network::RemoteHost,
    rig::program::ProgramRig,
    wait,
};

pub(super) const CASES: &[Case] = &[Case::new(
    "wall-200kbit",
    "200 Kbit/s for a wall of four cameras of 15 frames a second, for 20 s",
    "no picture is older than 2 s when it is painted, and each camera gets its turn",
    Run::Program(|rig| Box::pin(slow_wall(rig))),
)
.set_up(with_gateway)
.needs(Needs::Network)
.short()];

/// A gateway that the far end of a link can reach, and four cameras.
fn with_gateway(dir: &Path, launch: &mut Launch) -> Result<()> {
    let mut text = "[[listen]]\nname = \"main\"\naddress = \"0.0.0.0:0\"\n".to_owned();
    for number in 0..TILES {
        text += &format!("[[streams]]\nname = \"w{number}\"\nsource = \"{SOURCE}\"\n");
    }
    let file = dir.join(format!("wall-{:08x}.toml", fastrand::u32(..)));
    fs::write(&file, text)?;
    let file = file.to_str().context("a path that is text")?.to_owned();
    launch.args.extend(["-c".into(), file]);
    // The page, and each camera below it.
    launch.pages = 1 + TILES;
    Ok(())
}

async fn slow_wall(rig: &mut ProgramRig) -> Result<Findings> {
    let found = async || {
        let said = rig.said()?;
        let opened = said.split("listener=main address=0.0.0.0:").nth(1);
        let port = opened.and_then(|rest| rest.split_whitespace().next());
        Ok(port.and_then(|port| port.parse::<u16>().ok()))
    };
    let port = wait::until("the gateway is open", secs(5), found).await?;
    let host = RemoteHost::new()?;
    host.narrow_from_relay(200)?;
    let addr = (host.local_ip(), port).into();
    let stream = host.connect(addr)?;
    stream.set_nonblocking(true)?;
    let stream = TcpStream::from_std(stream)?;
    let mut client = WallClient::over(stream, &format!("ws://{addr}/api/v1/wall"), &[]).await?;
    client.show(&["w0", "w1", "w2", "w3"]).await?;
    let until = Instant::now() + secs(20);
    let (mut shown, mut oldest, mut bytes) = ([0_u32; TILES], Duration::ZERO, 0);
    while Instant::now() < until {
        let picture = match client.next().await? {
            WallMessage::Picture(picture) => picture,
            WallMessage::Text(_) => continue,
            WallMessage::Closed(code) => anyhow::bail!("the wall was closed with {code:?}"),
        };
        // Both ends have one clock.
        let captured = UNIX_EPOCH + Duration::from_micros(picture.captured_us);
        oldest = oldest.max(SystemTime::now().duration_since(captured)?);
        bytes += picture.bytes.len();
        shown[usize::from(picture.tile)] += 1;
        client.ack(&picture).await?;
    }
    let total: u32 = shown.iter().sum();
    let size = bytes as u64 / u64::from(total.max(1)) / 1000;
    ensure!(oldest <= secs(2), "a picture was {oldest:?} old");
    let fewest = shown.into_iter().min().unwrap_or_default();
    ensure!(
        fewest > 0 && total - 4 * fewest <= total / 4 + 4,
        "the tiles got {shown:?}"
    );
    // A good part of what the link can carry.
    ensure!(bytes > 200_000, "{bytes} bytes came in 20 s");
    Ok(Findings::seen(format!(
        "{total} pictures of {size} kB, the oldest {} ms old",
        oldest.as_millis()
    )))
}

const TILES: usize = 4;
/// Pictures of some 10 kB.
const SOURCE: &str = "test:?size=320x240";
