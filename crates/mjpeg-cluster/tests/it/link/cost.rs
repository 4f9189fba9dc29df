//! What an edge costs its owner, beside a viewer, and how much later frames are at it. For a
//! release build on a quiet machine: `cargo nextest run --release -p mjpeg-cluster --run-ignored
//! all cost --no-capture`.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::{Duration, SystemTime},
};

use mjpeg_cluster::{
    mjpeg_codec::{Frame, Stamp},
    mjpeg_fanout::Status,
    mjpeg_ingest::FrameOrder,
};
use mjpeg_testkit::jpeg;
use tokio::{
    runtime::Builder,
    time::{Instant, sleep},
};

use super::{
    node::{At, Node, STREAM},
    peer::{client, ingest, next},
};

/// How many frames are published for a figure.
const FRAMES: u32 = 1500;

/// The CPU time of this thread so far.
fn cpu() -> Duration {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let on_cpu = stat.split(' ').next().unwrap();
    Duration::from_nanos(on_cpu.parse().unwrap())
}

fn stamp() -> Stamp {
    Stamp::new(SystemTime::now(), Instant::now().into_std())
}

/// A client in a thread of its own that reads all that it is sent.
fn drain(addr: SocketAddr, request: String) -> JoinHandle<u64> {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    thread::spawn(move || {
        let mut room = vec![0; 1 << 20];
        let mut bytes = 0;
        while let Ok(n @ 1..) = stream.read(&mut room) {
            bytes += n as u64;
        }
        bytes
    })
}

/// The owner's time per frame of this size for so many viewers and edges.
fn owner(bytes: usize, viewers: usize, edges: usize) -> Duration {
    let (send, addrs) = mpsc::channel();
    let node = thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let node = Node::start(1, At::Here).await;
            node.producer.set_status(Status::Online);
            send.send((node.viewers, node.peers)).unwrap();
            let frames: Vec<_> = (0..8)
                .map(|n| Frame::parse(jpeg::of_length(n, bytes)).unwrap())
                .collect();
            while node.consumer.viewers() < viewers + edges {
                sleep(Duration::from_millis(1)).await;
            }
            sleep(Duration::from_millis(50)).await;
            let before = cpu();
            for n in 0..FRAMES {
                node.producer
                    .publish(frames[n as usize % 8].clone(), stamp());
                sleep(Duration::from_millis(2)).await;
            }
            (cpu() - before) / FRAMES
        })
    });
    let (of_viewers, of_peers) = addrs.recv().unwrap();
    let viewer = || drain(of_viewers, "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n".into());
    let edge = || {
        let request = format!(
            "GET /cluster/v1/streams/{STREAM} HTTP/1.0\r\nx-mjpeg-via: 00000000000000bb\r\n\r\n"
        );
        drain(of_peers, request)
    };
    let clients: Vec<_> = (0..viewers)
        .map(|_| viewer())
        .chain((0..edges).map(|_| edge()))
        .collect();
    let per_frame = node.join().unwrap();
    let read: Vec<_> = clients.into_iter().map(|c| c.join().unwrap()).collect();
    let least = bytes as u64 * u64::from(FRAMES) * 8 / 10;
    assert!(read.iter().all(|&read| read > least), "{read:?} of {least}");
    per_frame
}

#[test]
#[ignore = "measures"]
fn cost_of_a_further_edge_beside_a_viewer() {
    for bytes in [20_000, 100_000] {
        let mut ratios = Vec::new();
        for _ in 0..3 {
            let one = owner(bytes, 1, 0);
            let further = 3;
            let viewer = (owner(bytes, 1 + further, 0) - one) / further as u32;
            let edge = (owner(bytes, 1, further).saturating_sub(one)) / further as u32;
            println!(
                "{bytes} bytes: first viewer {one:?}, further viewer {viewer:?}, edge {edge:?}"
            );
            ratios.push(edge.as_secs_f64() / viewer.as_secs_f64());
        }
        println!("{bytes} bytes: edge / viewer {ratios:.3?}");
    }
}

#[test]
#[ignore = "measures"]
fn delay_that_a_hop_adds() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        for bytes in [20_000, 100_000, 1_500_000] {
            let owner = Node::start(1, At::Here).await;
            let published = Arc::new(Mutex::new(Vec::new()));
            let stop = Arc::new(AtomicBool::new(false));
            let frames: Vec<_> = (0..8)
                .map(|n| Frame::parse(jpeg::of_length(n, bytes)).unwrap())
                .collect();
            let camera = {
                let (published, stop) = (Arc::clone(&published), Arc::clone(&stop));
                let producer = Arc::clone(&owner.producer);
                tokio::spawn(async move {
                    producer.set_status(Status::Online);
                    for n in 0.. {
                        if stop.load(Ordering::Relaxed) {
                            return;
                        }
                        published.lock().unwrap().push(Instant::now());
                        producer.publish(frames[n % 8].clone(), stamp());
                        sleep(Duration::from_millis(10)).await;
                    }
                })
            };
            let mut edge = ingest(client(), owner.peers, FrameOrder::new());
            let mut delays = Vec::new();
            for _ in 0..500 {
                let (_, seq) = next(&mut edge).await.unwrap();
                let at = published.lock().unwrap()[seq as usize - 1];
                delays.push(at.elapsed());
            }
            stop.store(true, Ordering::Relaxed);
            camera.await.unwrap();
            delays.sort();
            let p = |part: usize| delays[delays.len() * part / 100];
            println!(
                "{bytes} bytes: p50 {:?}, p90 {:?}, p99 {:?}",
                p(50),
                p(90),
                p(99)
            );
        }
    });
}
