//! What a frame of a tile costs the relay, against a frame of a multipart viewer.

use std::{fs, time::Duration};

use bytes::Bytes;
use mjpeg_testkit::{Camera, Script, Viewer, WallClient, jpeg};
use tokio::time::{Instant, sleep};

use super::{LISTEN, Relay, stream};

/// Frames of a camera, and how many there are per second.
const FRAME_BYTES: usize = 150_000;
const FPS: u64 = 10;
const CAMERAS: usize = 16;
const WINDOW: Duration = Duration::from_secs(6);
const PAIRS: usize = 5;

/// CPU time of a process so far, in seconds.
fn cpu_seconds(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let fields: Vec<&str> = fields.split(' ').collect();
    let ticks: u64 = [11, 12]
        .map(|at: usize| fields[at].parse::<u64>().unwrap())
        .iter()
        .sum();
    ticks as f64 / 100.0
}

/// Measures; run it in release mode on a machine that does nothing else, as CONTRIBUTING.md says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures for two minutes"]
async fn cost_of_a_tile_frame() {
    let mut cameras = Vec::new();
    let mut text = LISTEN.to_owned();
    for number in 0..CAMERAS {
        let frames: Vec<Bytes> = (0..FPS as u32)
            .map(|seed| jpeg::of_length(seed, FRAME_BYTES))
            .collect();
        let camera = Camera::start(Script::live(frames, Duration::from_millis(1000 / FPS))).await;
        text += &stream(&format!("c{number}"), &camera);
        cameras.push(camera);
    }
    let relay = Relay::start(&text);
    let (addr, pid) = (relay.server.addr(0), relay.server.pid());
    let names: Vec<String> = (0..CAMERAS).map(|number| format!("c{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let idle = async || {
        let before = cpu_seconds(pid);
        sleep(WINDOW).await;
        cpu_seconds(pid) - before
    };
    sleep(Duration::from_secs(2)).await;
    let reading = idle().await;
    println!(
        "reading {CAMERAS} cameras alone: {:.1} ms/s",
        reading * 1000.0 / 6.0
    );
    let mut ratios = Vec::new();
    for pair in 1..=PAIRS {
        let wall = wall_cost(addr, pid, &names).await;
        let multipart = multipart_cost(addr, pid, &names).await;
        let alone = |(cpu, frames): (f64, u32)| (cpu - reading) * 1e6 / f64::from(frames);
        let whole = |(cpu, frames): (f64, u32)| cpu * 1e6 / f64::from(frames);
        println!(
            "{pair}/{PAIRS}: wall {:.1} us a frame ({} frames), multipart {:.1} us ({}); with \
             reading {:.1} and {:.1}",
            alone(wall),
            wall.1,
            alone(multipart),
            multipart.1,
            whole(wall),
            whole(multipart)
        );
        ratios.push((
            alone(wall) / alone(multipart),
            whole(wall) / whole(multipart),
        ));
    }
    ratios.sort_by(|a, b| a.0.total_cmp(&b.0));
    println!("ratios, delivering alone and with reading: {ratios:.2?}");
}

async fn wall_cost(addr: std::net::SocketAddr, pid: u32, names: &[&str]) -> (f64, u32) {
    let mut client = WallClient::open(addr, &[]).await.unwrap();
    client.show(names).await.unwrap();
    let warm = Instant::now() + Duration::from_secs(1);
    while Instant::now() < warm {
        client.painted().await.unwrap();
    }
    let (before, until, mut frames) = (cpu_seconds(pid), Instant::now() + WINDOW, 0);
    while Instant::now() < until {
        client.painted().await.unwrap();
        frames += 1;
    }
    (cpu_seconds(pid) - before, frames)
}

async fn multipart_cost(addr: std::net::SocketAddr, pid: u32, names: &[&str]) -> (f64, u32) {
    let mut watching = Vec::new();
    let start = Instant::now() + Duration::from_secs(1);
    for name in names {
        let path = format!("/{name}/");
        let mut viewer = Viewer::open(addr, &path).await.unwrap();
        watching.push(tokio::spawn(async move {
            let mut frames = 0;
            while Instant::now() < start + WINDOW {
                viewer.next_frame().await.unwrap().unwrap();
                frames += u32::from(Instant::now() >= start);
            }
            frames
        }));
    }
    tokio::time::sleep_until(start).await;
    let before = cpu_seconds(pid);
    tokio::time::sleep_until(start + WINDOW).await;
    let spent = cpu_seconds(pid) - before;
    let mut frames = 0;
    for one in watching {
        frames += one.await.unwrap();
    }
    (spent, frames)
}
