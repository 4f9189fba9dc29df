//! One run: relay, camera and fast viewers in one namespace, and behind each slow link a viewer in
//! another.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use kit::child::Child;
use kit::network::Namespace;
use kit::relay::{self, Relay};

use crate::lag::case::{Asked, Case, Server};
use crate::lag::watch::{Waiting, watch};
use crate::netns::{self, HOME, Link, Queue};
use crate::programs::{Programs, command};
use crate::run::Run;

/// The outcome of a run.
pub(crate) struct Outcome {
    pub(crate) case: &'static str,
    pub(crate) description: &'static str,
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
    let network = Network::new(congestion)?;
    let camera = network.start_camera(programs)?;
    let server = network.start_server(programs, case.server, &camera.addr)?;
    let id = server.process.id();
    // Wait until the first frames have come and the cost of the start is over.
    thread::sleep(SETTLE);

    let viewers = |inside: &Namespace, host: &str, count: u64| {
        let to = SocketAddr::new(host.parse()?, server.addr.port());
        let mut load = programs.viewers(&inside.starter(), to, count, BYTES, seconds);
        load.args(["--watch", &id.to_string()]);
        Child::start(&mut load, format!("the viewers of {host}"))
    };
    let mut running = vec![viewers(&network.near, "127.0.0.1", FAST)?];
    for far in &network.far {
        running.push(viewers(far, HOME, 1)?);
    }
    // Each viewer waits for its first frame, and one second more.
    thread::sleep(SETTLE);
    let readings = watch(id, &network.router, &network.links, &mut running, seconds)?;
    let mut runs = Vec::new();
    for viewers in running {
        runs.push(Run::read(&viewers.rest()?)?);
    }
    let fast = runs.remove(0);
    let mut slow = Vec::new();
    for ((&link, waiting), run) in network.links.iter().zip(readings.links).zip(runs) {
        slow.push(Slow {
            link,
            run,
            waiting,
            queue: netns::queue(&network.router, &link)?,
        });
    }
    Ok(Outcome {
        case: case.name,
        description: case.description,
        asked: case.asked,
        seconds,
        congestion: congestion.to_owned(),
        fast,
        slow,
        rss_kib: readings.rss_kib,
    })
}

/// The namespaces of a run, and the links between them.
struct Network {
    /// The server's.
    near: Namespace,
    router: Namespace,
    links: Vec<Link>,
    /// The slow viewers', one behind each link.
    far: Vec<Namespace>,
}

/// A running camera.
struct Camera {
    addr: String,
    _process: Child,
}

impl Network {
    fn new(congestion: &str) -> Result<Self> {
        let mut network = Self {
            near: netns::new("relay")?,
            router: netns::new("router")?,
            links: Vec::new(),
            far: Vec::new(),
        };
        netns::join_router(&network.near, &network.router)?;
        netns::choose_congestion_control(&network.near, congestion)?;
        for (number, mbit) in (1..).zip(MBIT) {
            let link = Link { number, mbit };
            let namespace = netns::new(&format!("{mbit}mbit"))?;
            netns::join_viewer(&network.router, &namespace, &link)?;
            network.links.push(link);
            network.far.push(namespace);
        }
        Ok(network)
    }

    fn start_camera(&self, programs: &Programs) -> Result<Camera> {
        let mut camera = command(&self.near.starter(), programs.at("fanout_camera"));
        camera
            .args(["--bytes", &BYTES.to_string(), "--fps", &FPS.to_string()])
            // A camera that was held up would send two pictures at once, and every server that
            // passes on the newest would skip one.
            .arg("--even");
        let mut process = Child::start(&mut camera, "the camera")?;
        Ok(Camera {
            addr: process.line_blocking()?,
            _process: process,
        })
    }

    fn start_server(&self, programs: &Programs, server: Server, camera: &str) -> Result<Relay> {
        let inside = self.near.starter();
        let mut command = match server {
            Server::Relay(extra) => {
                let mut relay = command(&inside, programs.at("mjpeg-server"));
                relay
                    .args(["--log", "warn", "run", "--stream"])
                    .arg(relay::stream("load", camera.parse()?, "0.0.0.0"))
                    .args(extra);
                relay
            }
            Server::Bare => {
                let mut ceiling = command(&inside, programs.at("fanout_ceiling"));
                ceiling
                    .args(["--camera", camera, "--bytes", &BYTES.to_string()])
                    .args(["--listen", "0.0.0.0:0"]);
                ceiling
            }
        };
        Relay::start_blocking(&mut command)
    }
}

/// The rates of the links.
const MBIT: [u32; 3] = [1, 4, 20];
/// The size of the stream's pictures.
pub(crate) const BYTES: u64 = 100_000;
pub(crate) const FPS: u64 = 30;
/// The number of viewers without a slow link.
pub(crate) const FAST: u64 = 50;
const SETTLE: Duration = Duration::from_secs(1);
