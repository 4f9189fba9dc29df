//! Live viewers while clips are downloaded.

use anyhow::{Result, ensure};

use crate::figures::{CPU_RATIO, Figure, MISSED, P99_RATIO, Pair};
use crate::programs::{Load, Programs};
use crate::replay::clips::Clips;
use crate::replay::row::Row;
use crate::replay::scene::{OTHER_CORE, Scene};
use crate::run::Run;

/// The same viewers beside clips and without them, by turns, at one relay on one core. The clips
/// come at the rate of a fast network, and as fast as loopback takes them.
pub(crate) fn measure(programs: &Programs, pairs: usize) -> Result<Vec<Row>> {
    let camera = programs.camera(&OTHER_CORE, BYTES, FPS, &["--even"])?;
    let scene = Scene::start(programs, &[&camera], "[defaults]\nreplay = \"60s\"\n")?;
    scene.until("mjpeg_stream_replay_span_seconds", CLIP_SECONDS)?;
    let mut rows = Vec::new();
    for (case, rate) in RATES {
        let pairs = compare(programs, &scene, pairs, rate)?;
        let row = |figure: &'static Figure, bounds| {
            let value = (figure.of)(&pairs).median;
            let figure_name = figure.name;
            Row {
                case,
                figure: figure_name,
                value,
                digits: figure.digits,
                bounds,
            }
        };
        let bounded = rate.is_finite();
        rows.push(row(&P99_RATIO, bounded.then_some(0.0..=1.2)));
        rows.push(row(&MISSED, bounded.then_some(0.0..=0.0)));
        rows.push(row(&CPU_RATIO, None));
    }
    Ok(rows)
}

fn compare(programs: &Programs, scene: &Scene, pairs: usize, rate: f64) -> Result<Vec<Pair>> {
    let mut measured = Vec::new();
    for number in 1..=pairs {
        let without = watch(programs, scene)?;
        println!("   {number}/{pairs} without {}", without.line());
        let clips = Clips::start(CLIPS, scene.relay.addr, CLIP, rate);
        let beside = watch(programs, scene);
        let downloaded = clips.stop()?;
        let beside = beside?;
        println!(
            "   {number}/{pairs} beside  {}; {} whole clips, {:.0} MB",
            beside.line(),
            downloaded.clips,
            downloaded.bytes as f64 / 1e6
        );
        ensure!(downloaded.bytes > 0, "no clip came");
        measured.push((beside, without));
    }
    Ok(measured)
}

fn watch(programs: &Programs, scene: &Scene) -> Result<Run> {
    let load = Load {
        viewers: VIEWERS,
        bytes: BYTES,
        seconds: SECONDS,
    };
    let (relay, path) = (&scene.relay, ["--path", "/load1/"]);
    let viewers = programs.viewers(&OTHER_CORE, relay, relay.addr, &load, &path)?;
    Run::read(&viewers.rest()?)
}

/// In bytes per second, for each clip: of 100 Mbit/s, and without a bound.
const RATES: [(&str, f64); 2] = [("beside", 12.5e6), ("beside, unpaced", f64::INFINITY)];
const BYTES: u64 = 100_000;
const FPS: u64 = 30;
const VIEWERS: u64 = 20;
const SECONDS: u64 = 10;
const CLIPS: usize = 4;
/// An AVI, whose length is known before it is made.
const CLIP: &str = "/load1/clip.avi?from=-10s";
const CLIP_SECONDS: f64 = 10.0;
