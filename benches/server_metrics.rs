//! What an answer to a scrape of 200 streams takes, and what it leaves behind.
//!
//! Isolated: `Metrics::respond` with all that it reads, on one thread; 200 streams with a port each
//! and a frame, so that every metric has a sample.
//!
//! Absent: the request and the sending of the answer; cameras and viewers, whose number changes
//! neither the size of the answer nor its cost, except that Linux before 6.2 counts open files one
//! by one.

use std::{fs, time::SystemTime};

use mjpeg_manager::{
    HttpOutlet, Manager, ManagerConfig, StreamSpec,
    mjpeg_codec::{Frame, Stamp},
};
use mjpeg_server::Metrics;
use mjpeg_testkit::jpeg;
use tokio::{runtime::Builder, time::Instant};

fn main() {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(run());
}

async fn run() {
    let http = HttpOutlet::default();
    let config = ManagerConfig::default().with_max_streams(STREAMS);
    let manager = Manager::with_outlets(config, [http.factory()]);
    let frame = Frame::parse(jpeg::numbered(1)).expect("a frame");
    let mut publishers = Vec::new();
    for number in 0..STREAMS {
        let name = format!("camera-{number}").parse().expect("a name");
        let spec = StreamSpec::fed(name).with_listen(([127, 0, 0, 1], 0).into());
        let publisher = manager.start_fed(spec).await.expect("a free port");
        let stamp = Stamp::new(SystemTime::now(), Instant::now().into_std());
        publisher.publish(frame.clone(), stamp).expect("running");
        publishers.push(publisher);
    }
    let metrics = Metrics::new(manager, http);
    // Without `--bench`, as in `cargo test --benches`, nothing is measured.
    let is_measured = std::env::args().any(|argument| argument == "--bench");
    let scrapes = if is_measured { 1000 } else { 2 };
    for (format, accept) in [
        ("text 0.0.4", "text/plain"),
        ("OpenMetrics", "application/openmetrics-text"),
    ] {
        let size = metrics.respond(Some(accept), []).body().len();
        assert!(size > STREAMS * 1000, "{size} bytes");
        let (before, cpu) = (resident_kib(), cpu_seconds(&metrics));
        let mut micros = Vec::new();
        for _ in 0..scrapes {
            let since = Instant::now();
            assert_eq!(metrics.respond(Some(accept), []).status(), 200);
            micros.push(since.elapsed().as_micros());
        }
        let (after, cpu) = (resident_kib(), cpu_seconds(&metrics) - cpu);
        micros.truncate(100);
        micros.sort_unstable();
        println!(
            "{STREAMS} streams, {format}: {} kB, median {} us of {}, CPU {:.0} us; resident {before} \
             KiB, after {scrapes} scrapes {after} KiB",
            size / 1000,
            micros[micros.len() / 2],
            micros.len(),
            1e6 * cpu / f64::from(scrapes),
        );
    }
}

/// The processor time of this process, as the figures tell it; 0 where they do not.
fn cpu_seconds(metrics: &Metrics) -> f64 {
    let answer = metrics.respond(None, []);
    let text = std::str::from_utf8(answer.body()).unwrap_or_default();
    let name = "process_cpu_seconds_total ";
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    value.and_then(|value| value.parse().ok()).unwrap_or(0.0)
}

/// Resident memory of this process; 0 where the system does not tell.
fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    kib.unwrap_or(0)
}

const STREAMS: usize = 200;
