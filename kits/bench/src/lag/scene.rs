//! One run: relay, camera and fast viewers in one namespace, and a viewer in a namespace of its own
//! behind each slow link.

use std::net::SocketAddr;
use std::thread;

use anyhow::Result;
use kit::network::Namespace;

use crate::lag::case::Case;
use crate::lag::watch::{Waiting, watch};
use crate::links::{self, HOME, Link, Queue};
use crate::programs::{Load, Programs};
use crate::run::Run;
use crate::side::SETTLE;

/// The outcome of a run.
pub(crate) struct Outcome {
    pub(crate) case: &'static Case,
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
    case: &'static Case,
    seconds: u64,
    congestion: &str,
) -> Result<Outcome> {
    let Network {
        home,
        router,
        links,
        far,
    } = Network::new(congestion)?;
    let inside = home.starter();
    // With `--even`, a camera that was delayed does not send two pictures at once. Any server that
    // passes on the newest would skip one of them.
    let camera = programs.camera(&inside, BYTES, FPS, &["--even"])?;
    let server = programs.server(&inside, case.server, &camera, BYTES, "0.0.0.0", 1)?;
    thread::sleep(SETTLE);

    let start_viewers = |inside: &Namespace, host: &str, viewers: u64| {
        let to = SocketAddr::new(host.parse()?, server.addr.port());
        let load = Load {
            viewers,
            bytes: BYTES,
            seconds,
        };
        programs.viewers(&inside.starter(), &server, to, &load, &[])
    };
    let mut running = vec![start_viewers(&home, "127.0.0.1", FAST)?];
    for far in &far {
        running.push(start_viewers(far, HOME, 1)?);
    }
    // Each viewer waits for its first frame, and then one second.
    thread::sleep(SETTLE);
    let relay = server.process.id();
    let readings = watch(relay, &router, &links, &mut running, seconds)?;
    let mut runs = Vec::new();
    for viewers in running {
        runs.push(Run::read(&viewers.rest()?)?);
    }
    let fast = runs.remove(0);
    let mut slow = Vec::new();
    for ((link, waiting), run) in links.into_iter().zip(readings.links).zip(runs) {
        slow.push(Slow {
            queue: links::queue(&router, &link)?,
            link,
            run,
            waiting,
        });
    }
    Ok(Outcome {
        case,
        seconds,
        congestion: congestion.to_owned(),
        fast,
        slow,
        rss_kib: readings.rss_kib,
    })
}

/// The namespaces of a run, and the links between them.
struct Network {
    /// The server's, the camera's and the fast viewers'.
    home: Namespace,
    router: Namespace,
    links: Vec<Link>,
    /// The slow viewers', one behind each link.
    far: Vec<Namespace>,
}

impl Network {
    fn new(congestion: &str) -> Result<Self> {
        let mut network = Self {
            home: links::new("relay")?,
            router: links::new("router")?,
            links: Vec::new(),
            far: Vec::new(),
        };
        links::join_router(&network.home, &network.router, congestion)?;
        for (number, mbit) in (1..).zip(MBIT) {
            let link = Link { number, mbit };
            let namespace = links::new(&format!("{mbit}mbit"))?;
            links::join_viewer(&network.router, &namespace, &link)?;
            network.links.push(link);
            network.far.push(namespace);
        }
        Ok(network)
    }
}

/// The rates of the links.
const MBIT: [u32; 3] = [1, 4, 20];
/// The size of the camera's pictures.
pub(crate) const BYTES: u64 = 100_000;
pub(crate) const FPS: u64 = 30;
/// The number of viewers without a slow link.
pub(crate) const FAST: u64 = 50;
