//! Pictures that are not kept, because the relay is too busy.

use std::thread;
use std::time::Duration;

use anyhow::Result;

use crate::programs::{Load, Programs};
use crate::replay::row::Row;
use crate::replay::scene::{OTHER_CORE, Scene};
use crate::run::Run;
use crate::side::SETTLE;

/// A relay on one core keeps all pictures of a fast camera while somebody watches. Pictures that
/// come faster than one core can take them are counted if they are not kept.
pub(crate) fn measure(programs: &Programs) -> Result<Vec<Row>> {
    let (kept, run) = keep(programs, BYTES, FPS, true)?;
    if let Some(run) = run {
        println!("   {}", run.line());
    }
    println!("   {kept}");
    let (flood, _) = keep(programs, FLOOD_BYTES, FLOOD_FPS, false)?;
    println!("   flood: {flood}");
    let row = |figure, value, bounds| Row {
        case: "rate",
        figure,
        value,
        digits: 0,
        bounds,
    };
    let all = Some(kept.published..=kept.published);
    Ok(vec![
        row("100 kB x 100 fps: pictures published", kept.published, None),
        row("kept", kept.recorded, all),
        row("counted as not kept", kept.lost, Some(0.0..=0.0)),
        row("flood: pictures published", flood.published, None),
        row("kept", flood.recorded, None),
        row("counted as not kept", flood.lost, None),
        row(
            "neither",
            flood.published - flood.recorded - flood.lost,
            Some(0.0..=0.0),
        ),
    ])
}

/// What the metrics say.
#[derive(Clone, Copy)]
struct Kept {
    published: f64,
    recorded: f64,
    lost: f64,
}

impl std::fmt::Display for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            published,
            recorded,
            lost,
        } = self;
        write!(f, "{published} published, {recorded} kept, {lost} not kept")
    }
}

fn keep(programs: &Programs, bytes: u64, fps: u64, watch: bool) -> Result<(Kept, Option<Run>)> {
    let camera = programs.camera(&OTHER_CORE, bytes, fps, &[])?;
    let scene = Scene::start(programs, &[&camera], "[defaults]\nreplay = \"60s\"\n")?;
    thread::sleep(SETTLE);
    let run = if watch {
        let load = Load {
            viewers: 1,
            bytes,
            seconds: SECONDS,
        };
        let (relay, path) = (&scene.relay, ["--path", "/load1/"]);
        let viewers = programs.viewers(&OTHER_CORE, relay, relay.addr, &load, &path)?;
        Some(Run::read(&viewers.rest()?)?)
    } else {
        thread::sleep(Duration::from_secs(FLOOD_SECONDS));
        None
    };
    // What is on its way is kept, too.
    drop(camera);
    thread::sleep(SETTLE);
    let kept = Kept {
        published: scene.sum("mjpeg_stream_frames_total")?,
        recorded: scene.sum("mjpeg_stream_replay_recorded_total")?,
        lost: scene.sum("mjpeg_stream_replay_lost_total")?,
    };
    Ok((kept, run))
}

const BYTES: u64 = 100_000;
const FPS: u64 = 100;
const SECONDS: u64 = 30;

/// The smallest pictures that the camera has, as fast as it can.
const FLOOD_BYTES: u64 = 1_500;
const FLOOD_FPS: u64 = 1_000_000;
const FLOOD_SECONDS: u64 = 5;
