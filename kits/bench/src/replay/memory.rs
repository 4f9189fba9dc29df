//! The resident memory of a relay at the limit of what its streams keep.

use std::thread;
use std::time::Duration;

use anyhow::Result;
use kit::proc;

use crate::programs::{Camera, Programs};
use crate::replay::row::Row;
use crate::replay::scene::{OTHER_CORE, Scene};

/// Compares ten streams at the limit with the same ten that keep nothing: when the limit is
/// reached, and when three times as much has passed through since.
pub(crate) fn measure(programs: &Programs) -> Result<Vec<Row>> {
    let cameras = SIZES.map(|bytes| programs.camera(&OTHER_CORE, bytes, FPS, &[]));
    let cameras: Vec<Camera> = cameras.into_iter().collect::<Result<_>>()?;
    let streams: Vec<&Camera> = cameras.iter().chain(&cameras).collect();
    let keeping =
        format!("max_replay_memory_total = \"{LIMIT_MIB}MiB\"\n[defaults]\nreplay = \"1h\"\n");
    let without = resident(programs, &streams, "")?;
    let with = resident(programs, &streams, &keeping)?;
    let limit = LIMIT_MIB as f64 * 1024.0;
    let share = |at: usize| (with.kib[at] - without.kib[at]) / limit;
    let highest = (with.highest - without.highest) / limit;
    println!(
        "   resident without: {:.0} and {:.0} KiB; with: {:.0} and {:.0} KiB, highest {:.0} KiB; counted as kept: {:.4} of the limit",
        without.kib[0],
        without.kib[1],
        with.kib[0],
        with.kib[1],
        with.highest,
        with.counted / 1024.0 / limit
    );
    let row = |figure, value| Row {
        case: "memory",
        figure,
        value,
        digits: 3,
        bounds: Some(LEAST..=1.05),
    };
    Ok(vec![
        row("resident memory to the limit, when full", share(0)),
        row("the same, after three times the limit", share(1)),
        row("the same, highest", highest),
    ])
}

/// In KiB.
struct Resident {
    /// When the limit is reached, and at the end.
    kib: [f64; 2],
    highest: f64,
    /// What the metrics say is kept, in bytes.
    counted: f64,
}

fn resident(programs: &Programs, streams: &[&Camera], lines: &str) -> Result<Resident> {
    let scene = Scene::start(programs, streams, lines)?;
    let now = || -> Result<f64> { Ok(proc::status(scene.relay.process.id(), "VmRSS:")? as f64) };
    let limit = LIMIT_MIB as f64 * f64::from(1 << 20);
    // What was published, and not kept yet, and the ends of segments, need some more.
    scene.until(PUBLISHED, 1.1 * limit)?;
    let full = now()?;
    let mut highest = full;
    while scene.sum(PUBLISHED)? < 4.1 * limit {
        thread::sleep(Duration::from_millis(250));
        highest = highest.max(now()?);
    }
    let counted = scene.sum("mjpeg_stream_replay_memory_bytes").unwrap_or(0.0);
    Ok(Resident {
        kib: [full, now()?],
        highest,
        counted,
    })
}

const PUBLISHED: &str = "mjpeg_stream_frame_bytes_total";
const LIMIT_MIB: u64 = 200;
/// The segment that each stream is filling counts as kept, and is half empty: 5 MiB of all.
const LEAST: f64 = 0.95;
/// The lengths of the cameras' pictures. Each camera has two streams.
const SIZES: [u64; 5] = [20_000, 50_000, 100_000, 150_000, 300_000];
const FPS: u64 = 15;
