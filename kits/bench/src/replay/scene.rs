//! A relay with several streams, from a configuration file, and its metrics.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use kit::folder::Temporary;
use kit::relay::Relay;

use crate::programs::{Camera, Programs};

/// A relay whose streams are `load1`, `load2` and so on. Streams and metrics are on one port.
pub(crate) struct Scene {
    pub(crate) relay: Relay,
    _file: Temporary,
}

impl Scene {
    /// Starts a relay with one stream for each of these cameras and these lines in its file, on
    /// core 0.
    pub(crate) fn start(programs: &Programs, cameras: &[&Camera], lines: &str) -> Result<Self> {
        let mut text = format!(
            "worker_threads = 1\n{lines}\n[[listen]]\nname = \"all\"\naddress = \"127.0.0.1:0\"\n\
             serve = [\"streams\", \"metrics\"]\n"
        );
        for (number, camera) in (1..).zip(cameras) {
            let addr = camera.addr;
            let _ = write!(
                text,
                "[[streams]]\nname = \"load{number}\"\nsource = \"tcp://{addr}\"\n"
            );
        }
        let file = Temporary::new(&format!("mjpeg-bench-replay-{}", std::process::id()))?;
        let path = file.path().join("relay.toml");
        fs::write(&path, text)?;
        let relay = programs.configured(&RELAY_CORE, &path)?;
        Ok(Self { relay, _file: file })
    }

    /// The sum of a metric over all streams.
    pub(crate) fn sum(&self, metric: &str) -> Result<f64> {
        let text = get(self.relay.addr, "/metrics")?;
        let values = text.lines().filter_map(|line| {
            let rest = line.strip_prefix(metric)?;
            let rest = rest.starts_with(['{', ' ']).then_some(rest)?;
            rest.rsplit(' ').next()?.parse::<f64>().ok()
        });
        values
            .reduce(|one, other| one + other)
            .with_context(|| format!("no {metric} in the metrics"))
    }

    /// Waits until the sum of a metric is at least this.
    pub(crate) fn until(&self, metric: &str, least: f64) -> Result<()> {
        let since = Instant::now();
        while self.sum(metric)? < least {
            ensure!(
                since.elapsed() < PATIENCE,
                "{metric} does not reach {least}"
            );
            thread::sleep(Duration::from_millis(250));
        }
        Ok(())
    }
}

/// The body of the answer to a request, which must be a 200.
fn get(addr: SocketAddr, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(addr)?;
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no head")?;
    ensure!(head.contains(" 200 "), "{path}: {head}");
    Ok(body.to_owned())
}

pub(crate) const RELAY_CORE: [&str; 3] = ["taskset", "-c", "0"];
/// Of camera, viewers and clips.
pub(crate) const OTHER_CORE: [&str; 3] = ["taskset", "-c", "1"];

const PATIENCE: Duration = Duration::from_secs(300);
