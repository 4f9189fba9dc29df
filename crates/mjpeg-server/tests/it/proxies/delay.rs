//! How much later a frame arrives through a proxy.

use std::time::{Duration, SystemTime};

use mjpeg_testkit::{Camera, Script, jpeg};

use crate::proxies::{
    curl::{Server, value},
    proxy::ALL,
    relay::Relay,
};

/// Prints the table of docs/proxies.md.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures for two and a half minutes"]
async fn delay_that_each_proxy_adds() {
    let frames = (0..50).map(|n| jpeg::of_length(n, 20_000)).collect();
    let live = Camera::start(Script::live(frames, Duration::from_millis(40))).await;
    let relay = Relay::start(&live.url(), "test:", false);
    let direct = ("none", "HTTP/1.1", Server::plain(relay.addr), "/live/");
    let mut ways = vec![direct];
    let installed = ALL.iter().filter(|proxy| proxy.is_installed());
    let running: Vec<_> = installed
        .map(|proxy| (proxy.name, proxy.start(relay.addr, false)))
        .collect();
    for (name, proxy) in &running {
        let (plain, tls) = (Server::plain(proxy.plain), Server::tls(proxy.tls));
        ways.push((name, "HTTP/1.1", plain, "/cameras/live/"));
        ways.push((name, "HTTP/2, TLS", tls, "/cameras/live/"));
    }
    let mut runs = vec![Vec::new(); ways.len()];
    for _ in 0..RUNS {
        for (way, runs) in ways.iter().zip(&mut runs) {
            let (_, _, server, path) = way;
            runs.push(run(*server, path));
            relay.wait_for_viewers(0);
        }
    }
    println!("| proxy | viewer | median, ms | p99, ms |\n|---|---|---|---|");
    for ((name, version, ..), runs) in ways.iter().zip(runs) {
        let of_runs = |part: fn(&(f64, f64)) -> f64| {
            let mut values: Vec<f64> = runs.iter().map(part).collect();
            percentile(&mut values, 50)
        };
        let (median, p99) = (of_runs(|run| run.0), of_runs(|run| run.1));
        println!("| {name} | {version} | {median:.2} | {p99:.1} |");
    }
}

/// The median and the 99th percentile of a run, in milliseconds.
fn run(server: Server, path: &str) -> (f64, f64) {
    let mut stream = server.watch(&[path]);
    stream.head();
    // The first is an older one.
    stream.picture();
    let mut late: Vec<f64> = (0..FRAMES)
        .map(|_| {
            let (head, _) = stream.picture();
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            let captured: f64 = value(&head, "x-timestamp").unwrap().parse().unwrap();
            (now.unwrap().as_secs_f64() - captured) * 1000.0
        })
        .collect();
    (percentile(&mut late, 50), percentile(&mut late, 99))
}

fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() - 1) * percent / 100]
}

const RUNS: usize = 5;
const FRAMES: usize = 75;
