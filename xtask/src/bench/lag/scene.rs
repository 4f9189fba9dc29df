//! One run: relay, camera and fast viewers in one namespace, and behind each slow link a viewer in another.

use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::bench::lag::watch::{Readings, Waiting, watch};
use crate::bench::lag::{Asked, Case, Server};
use crate::bench::netns::{HOME, Link, Namespace, Queue};
use crate::bench::process::{Running, command};
use crate::bench::programs::Programs;
use crate::bench::run::Run;

/// What came of a run.
pub(crate) struct Outcome {
    pub(crate) case: &'static str,
    pub(crate) told: &'static str,
    pub(crate) asked: Asked,
    pub(crate) seconds: u64,
    pub(crate) congestion: String,
    pub(crate) fast: Run,
    pub(crate) slow: Vec<Slow>,
    /// The relay's resident memory, once a second.
    pub(crate) rss_kib: Vec<u64>,
}

/// A viewer behind a link.
pub(crate) struct Slow {
    pub(crate) link: Link,
    pub(crate) run: Run,
    pub(crate) waiting: Waiting,
    pub(crate) queue: Queue,
}

pub(crate) fn run(
    programs: &Programs,
    case: &Case,
    seconds: u64,
    congestion: &str,
) -> Result<Outcome> {
    let near = Namespace::new("relay")?;
    let router = Namespace::new("router")?;
    near.join_router(&router)?;
    near.choose_congestion_control(congestion)?;
    let mut links = Vec::new();
    let mut far = Vec::new();
    for (number, mbit) in (1..).zip(MBIT) {
        let link = Link { number, mbit };
        let namespace = Namespace::new(&format!("{mbit}mbit"))?;
        router.join_viewer(&namespace, &link)?;
        links.push(link);
        far.push(namespace);
    }

    let inside = near.starter();
    let camera = command(&inside, programs.at("fanout_camera"))
        .args(["--bytes", &BYTES.to_string(), "--fps", &FPS.to_string()])
        // Two pictures at once, because the camera was held up, would be one lost in every server that passes the newest.
        .arg("--even")
        .spawn();
    let mut camera = Running::new(camera, "the camera")?;
    let at = camera.first_line()?;
    let relay = match case.server {
        Server::Relay(extra) => command(&inside, programs.at("mjpeg-server"))
            .args(["--log", "warn", "run", "--stream"])
            .arg(format!("load=tcp://{at}@0.0.0.0:0"))
            .args(extra)
            .spawn(),
        Server::Bare => command(&inside, programs.at("fanout_ceiling"))
            .args(["--camera", &at, "--bytes", &BYTES.to_string()])
            .args(["--listen", "0.0.0.0:0"])
            .spawn(),
    };
    let mut relay = Running::new(relay, "the server")?;
    let url = relay.first_line()?;
    let port = url
        .trim_end_matches('/')
        .rsplit_once(':')
        .with_context(|| format!("the server printed {url:?}, which is no URL with a port"))?
        .1;
    // For the first frames to come, and what a start costs to be over.
    thread::sleep(SETTLE);

    let viewers = |inside: &Namespace, host: &str, count: u64| {
        let load = command(&inside.starter(), programs.at("fanout_load"))
            .args(["--to", &format!("{host}:{port}")])
            .args(["--viewers", &count.to_string()])
            .args(["--bytes", &BYTES.to_string()])
            .args(["--seconds", &seconds.to_string()])
            .args(["--watch", &relay.id().to_string()])
            .spawn();
        Running::new(load, format!("the viewers of {host}"))
    };
    let mut running = vec![viewers(&near, "127.0.0.1", FAST)?];
    for far in &far {
        running.push(viewers(far, HOME, 1)?);
    }
    // Each waits for its first frame, and a second.
    thread::sleep(SETTLE);
    let Readings {
        rss_kib,
        links: waiting,
    } = watch(relay.id(), &router, &links, &mut running, seconds)?;
    let mut runs = Vec::new();
    for viewers in running {
        runs.push(understood(&viewers.rest()?)?);
    }
    let fast = runs.remove(0);
    let mut slow = Vec::new();
    for ((link, waiting), run) in links.into_iter().zip(waiting).zip(runs) {
        let queue = router.queue(&link)?;
        slow.push(Slow {
            link,
            run,
            waiting,
            queue,
        });
    }
    Ok(Outcome {
        case: case.name,
        told: case.told,
        asked: case.asked,
        seconds,
        congestion: congestion.to_owned(),
        fast,
        slow,
        rss_kib,
    })
}

fn understood(report: &str) -> Result<Run> {
    let run: Run = serde_json::from_str(report)
        .with_context(|| format!("the viewers' report is not understood: {report}"))?;
    ensure!(
        run.bad == 0 && run.out_of_order == 0,
        "{} of {} frames were not as the camera sent them, {} out of order",
        run.bad,
        run.total,
        run.out_of_order
    );
    Ok(run)
}

/// The links.
const MBIT: [u32; 3] = [1, 4, 20];
/// The stream.
pub(crate) const BYTES: u64 = 100_000;
pub(crate) const FPS: u64 = 30;
/// Viewers that have no slow link.
pub(crate) const FAST: u64 = 50;
const SETTLE: Duration = Duration::from_secs(1);
