//! What the relay's page costs a browser: sixteen cameras of 1920 × 1080.

use std::{
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use fantoccini::Client;
use jpeg_encoder::{ColorType, Encoder};
use kit::{
    flags::Wall, folder::Temporary, proc, record, relay::Relay, workspace::relay_beside_kit,
};
use tokio::time::{Instant, sleep};

use crate::{browser::Browser, engine::Engine, processes::Family};

/// Measures, and returns whether no page's memory grows.
pub(crate) async fn run(ip: IpAddr, flags: Wall) -> Result<bool> {
    let length = Duration::from_secs(60 * u64::from(flags.minutes.unwrap_or(2)));
    let server = relay_beside_kit()?;
    let cameras = Cameras::new(ip)?;
    let screens: &[u32] = if flags.usual { &[1] } else { &[1, 2] };
    let mut table = HEAD.to_owned();
    println!("{HEAD}");
    let mut flat = true;
    for engine in Engine::ALL {
        if !flags.engine.is_empty() && !flags.engine.iter().any(|name| name == engine.name()) {
            continue;
        }
        let missing = engine.missing().join(", ");
        if !missing.is_empty() {
            println!("{}: skipped, not installed: {missing}", engine.name());
            continue;
        }
        for &scale in screens {
            let cost = cost(engine, scale, &cameras, &server, length).await;
            let cost = cost.with_context(|| engine.name())?;
            println!("{}", cost.line());
            table = format!("{table}\n{}", cost.line());
            flat &= cost.mib[PARTS - 1] <= cost.mib[0] + MAX_GROWTH_MIB;
        }
    }
    if let Some(file) = &flags.record {
        record::write(file, "compat wall", &table)?;
    }
    Ok(flat)
}

const HEAD: &str = "\
| browser | pixels per CSS pixel | pictures/s of 160 | age, ms: median, largest | CPU ms per picture: \
the page's own thread | its process | all processes | the relay | MiB of its process: medians of \
five equal parts of the time after the first minute |
|---|---|---|---|---|---|---|---|---|";
const CAMERAS: usize = 16;
const FPS: u32 = 10;
/// After this, caches are full (`endurance`).
const WARM_UP: Duration = Duration::from_secs(60);
const MAX_GROWTH_MIB: u64 = 64;
/// Memory goes up and down with collections of garbage; only what stays shows a leak.
const PARTS: usize = 5;

/// A configuration of cameras that play a file.
struct Cameras {
    config: PathBuf,
    _folder: Temporary,
}

impl Cameras {
    fn new(ip: IpAddr) -> Result<Self> {
        let folder = Temporary::new(&format!("engines-wall-cost-{}", std::process::id()))?;
        let film = folder.path().join("film.mjpeg");
        fs::write(&film, (0..FPS).flat_map(picture).collect::<Vec<u8>>())?;
        let mut text = format!("[[listen]]\naddress = \"{ip}:0\"\n");
        for camera in 1..=CAMERAS {
            let source = format!("file://{}?fps={FPS}", film.display());
            text += &format!("[[streams]]\nname = \"camera{camera}\"\nsource = \"{source}\"\n");
        }
        let config = folder.path().join("mjpeg.toml");
        fs::write(&config, text)?;
        Ok(Self {
            config,
            _folder: folder,
        })
    }
}

/// A picture of about 250 kB in which something moves.
fn picture(number: u32) -> Vec<u8> {
    const WIDTH: u32 = 1920;
    const HEIGHT: u32 = 1080;
    let mut noise = fastrand::Rng::with_seed(u64::from(number));
    let mut pixels = Vec::with_capacity((WIDTH * HEIGHT * 3) as usize);
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let bar = (x + number * 96) / 192 % 10 * 20;
            let grain = u32::from(noise.u8(0..12));
            let light = |part: u32| u8::try_from((part + bar + grain).min(255)).unwrap_or(255);
            pixels.extend([light(x * 60 / WIDTH), light(y * 60 / HEIGHT), light(30)]);
        }
    }
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, 80);
    encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2);
    let (width, height) = (WIDTH as u16, HEIGHT as u16);
    encoder
        .encode(&pixels, width, height, ColorType::Rgb)
        .expect("encoding into memory cannot fail");
    jpeg
}

/// What one page cost.
struct Cost {
    browser: String,
    scale: u32,
    length: Duration,
    painted: u64,
    ages_ms: Vec<u64>,
    own_thread: Duration,
    process: Duration,
    all: Duration,
    relay: Duration,
    /// The medians of equal parts of the time after the warm-up.
    mib: [u64; PARTS],
}

async fn cost(
    engine: Engine,
    scale: u32,
    cameras: &Cameras,
    server: &Path,
    length: Duration,
) -> Result<Cost> {
    let mut command = Command::new(server);
    command.args(["--log", "error", "run", "--config"]);
    let relay = Relay::start(command.arg(&cameras.config)).await?;
    let browser = Browser::start_scaled(engine, scale).await?;
    browser.client.set_window_size(1600, 1200).await?;
    browser
        .client
        .goto(&format!("http://{}/", relay.addr))
        .await?;
    let outcome = watch(engine, &browser, relay.process.id(), length).await;
    let outcome = outcome.map(|cost| Cost { scale, ..cost });
    browser.close().await;
    outcome
}

async fn watch(engine: Engine, browser: &Browser, relay: u32, length: Duration) -> Result<Cost> {
    let client = &browser.client;
    all_move(client).await?;
    sleep(SETTLE).await;
    let family = Family::of(browser.root());
    let times = || -> Result<[Duration; 4]> {
        let own = family.pages(engine).map(|it| it.main_thread_cpu()).sum();
        let process = family.pages(engine).map(|it| it.cpu()).sum();
        Ok([own, process, family.cpu(), proc::cpu_time(relay)?])
    };
    let (before, start, from) = (times()?, Instant::now(), painted(client).await?);
    let (mut ages_ms, mut memory) = (Vec::new(), Vec::new());
    while start.elapsed() < length {
        sleep(SAMPLE).await;
        ages_ms.extend(ages(client).await?);
        let mib = Family::of(browser.root()).pages_mib(engine);
        memory.push((start.elapsed() + SETTLE, mib));
    }
    let (length, to, after) = (start.elapsed(), painted(client).await?, times()?);
    let settled = memory
        .iter()
        .filter(|(at, _)| *at >= WARM_UP.min(length / 2));
    let settled: Vec<u64> = settled.map(|(_, mib)| *mib).collect();
    if settled.len() < PARTS {
        bail!("memory was read {} times", settled.len());
    }
    let [own_thread, process, all, relay] = [0, 1, 2, 3].map(|at| after[at] - before[at]);
    ages_ms.sort_unstable();
    Ok(Cost {
        browser: browser.version(),
        scale: 1,
        length,
        painted: to.saturating_sub(from).max(1),
        ages_ms,
        own_thread,
        process,
        all,
        relay,
        mib: medians(&settled),
    })
}

/// The medians of equal parts.
fn medians(samples: &[u64]) -> [u64; PARTS] {
    std::array::from_fn(|part| {
        let (from, to) = (part * samples.len(), (part + 1) * samples.len());
        let mut part = samples[from / PARTS..to / PARTS].to_vec();
        part.sort_unstable();
        part[part.len() / 2]
    })
}

/// Until the page has started and nothing is compiled any more.
const SETTLE: Duration = Duration::from_secs(10);
/// Rarely, so that the questions cost little.
const SAMPLE: Duration = Duration::from_secs(2);

/// Waits until each tile has shown a few pictures, a minute at most.
async fn all_move(client: &Client) -> Result<()> {
    let least = format!(
        "const frames = [...document.querySelectorAll('[data-stream]')]
           .map((tile) => Number(tile.dataset.frames));
         return frames.length === {CAMERAS} && Math.min(...frames) > 2"
    );
    for _ in 0..600 {
        if client
            .execute(&least, vec![])
            .await
            .is_ok_and(|is| is == true)
        {
            return Ok(());
        }
        sleep(Duration::from_millis(100)).await;
    }
    bail!("the pictures do not move")
}

/// How many pictures the tiles have shown in all.
async fn painted(client: &Client) -> Result<u64> {
    let sum = "return [...document.querySelectorAll('[data-stream]')]
        .reduce((sum, tile) => sum + Number(tile.dataset.frames), 0)";
    let sum = client.execute(sum, vec![]).await?;
    sum.as_u64().context("no number of pictures")
}

/// How old the pictures shown are.
async fn ages(client: &Client) -> Result<Vec<u64>> {
    let ages = "return [...document.querySelectorAll('[data-stream]')]
        .map((tile) => Number(tile.dataset.ageMs))";
    let ages = client.execute(ages, vec![]).await?;
    let ages = ages.as_array().context("no ages")?;
    Ok(ages
        .iter()
        .filter_map(|age| age.as_f64())
        .map(|age| age as u64)
        .collect())
}

impl Cost {
    fn line(&self) -> String {
        let each = |time: Duration| time.as_secs_f64() * 1000.0 / self.painted as f64;
        let (median, largest) = (
            self.ages_ms.get(self.ages_ms.len() / 2).copied(),
            self.ages_ms.last().copied(),
        );
        let mib = self.mib.map(|mib| mib.to_string()).join(", ");
        format!(
            "| {} | {} | {:.0} | {}, {} | {:.2} | {:.2} | {:.2} | {:.2} | {mib} |",
            self.browser,
            self.scale,
            self.painted as f64 / self.length.as_secs_f64(),
            median.unwrap_or_default(),
            largest.unwrap_or_default(),
            each(self.own_thread),
            each(self.process),
            each(self.all),
            each(self.relay),
        )
    }
}
