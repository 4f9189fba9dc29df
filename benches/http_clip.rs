//! The memory that a clip of an hour takes while it is sent, next to one of a minute.
//!
//! Isolated: a ring with an hour of small frames, 30 per second, in this process; its clips over
//! HTTP on loopback, read without keeping anything; resident memory, read often meanwhile.
//!
//! Absent: a camera, live viewers, and frames of a usual size: memory depends on their number. The
//! ring keeps everything, and nothing is added.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, SystemTime},
};

use mjpeg_codec::{Frame, Stamp};
use mjpeg_fanout::{Consumer, Producer, ReplayRing, RingConfig, RingMemory, RingTier, RingWriter};
use mjpeg_http::{Listener, ListenerConfig, StreamConfig, StreamService};
use mjpeg_testkit::jpeg;
use tokio::{runtime::Builder, time::Instant};

fn main() {
    // Without `--bench`, as in `cargo test --benches`, nothing is measured.
    let is_measured = std::env::args().any(|argument| argument == "--bench");
    let seconds = if is_measured { 3600 } else { 10 };
    let mut runtime = Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_all().build();
    runtime.expect("a runtime").block_on(run(seconds));
}

async fn run(seconds: u32) {
    // As long as the clips are read, their stream exists.
    let (_producer, consumer, _writer) = filled(seconds * FPS);
    let listener = Listener::bind(([127, 0, 0, 1], 0).into(), ListenerConfig::default());
    let listener = listener.expect("a free port");
    let addr = listener.local_addr().expect("a TCP port");
    let service = StreamService::new(consumer, StreamConfig::default());
    let serving = tokio::spawn(listener.serve(service, std::future::pending()));
    let reading = thread::spawn(move || compare(addr, seconds));
    while !reading.is_finished() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    reading.join().expect("all clips came");
    serving.abort();
}

/// A stream that keeps this many frames, the last one of now.
fn filled(frames: u32) -> (Producer, Consumer, RingWriter) {
    let (producer, consumer) = mjpeg_fanout::channel();
    let config = RingConfig::default()
        .with_tiers([RingTier::new(Duration::ZERO, Duration::from_secs(7200))])
        .with_max_bytes(1 << 30);
    let (mut writer, ring) = ReplayRing::new(config, &RingMemory::new(1 << 30));
    assert!(producer.set_replay(ring));
    let (wall, now) = (SystemTime::now(), Instant::now().into_std());
    for number in 1..=frames {
        let ago = (frames - number) * Duration::from_secs(1) / FPS;
        let frame = Frame::parse(jpeg::sized(number, 16, 16)).expect("a frame");
        producer.publish(frame, Stamp::new(wall - ago, now - ago));
        writer.push(&consumer.latest().expect("just published"));
    }
    (producer, consumer, writer)
}

fn compare(addr: SocketAddr, seconds: u32) {
    let short = seconds.div_ceil(60);
    // What is allocated once, for all later answers.
    let _ = download(addr, &format!("/clip.mov?from=-{short}s"));
    for format in ["mov", "avi", "zip", "mjpeg"] {
        // The newest frame is some seconds old by now.
        let clips = [short, seconds].map(|long| {
            let path = format!("/clip.{format}?from=-{}s", long + 60);
            download(addr, &path)
        });
        let [minute, hour] = clips;
        println!(
            "clip.{format}: {} frames, {:.1} MB in {:.2} s, resident memory grew by {} KiB; {} \
             frames, {:.1} MB in {:.2} s: {} KiB",
            minute.frames,
            minute.megabytes,
            minute.seconds,
            minute.grew_kib,
            hour.frames,
            hour.megabytes,
            hour.seconds,
            hour.grew_kib,
        );
        assert_eq!(hour.frames, seconds * FPS, "all frames are in it");
        let more = hour.grew_kib.saturating_sub(minute.grew_kib);
        assert!(more < MOST_KIB, "{more} KiB more for a long clip");
    }
}

struct Clip {
    frames: u32,
    megabytes: f64,
    seconds: f64,
    /// The highest reading while it came, above that before it.
    grew_kib: u64,
}

fn download(addr: SocketAddr, path: &str) -> Clip {
    let (before, since) = (resident_kib(), Instant::now());
    let mut stream = TcpStream::connect(addr).expect("a connection");
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n").expect("a request");
    let (mut head, mut piece) = (String::new(), vec![0; 64 << 10]);
    let (mut bytes, mut highest) = (0, before);
    loop {
        let read = stream.read(&mut piece).expect("a piece");
        if head.is_empty() {
            head = String::from_utf8_lossy(&piece[..read]).to_ascii_lowercase();
        }
        bytes += read;
        highest = highest.max(resident_kib());
        if read == 0 {
            break;
        }
    }
    let frames = head
        .lines()
        .find_map(|line| line.strip_prefix("x-frames: "));
    Clip {
        frames: frames.and_then(|text| text.parse().ok()).expect("a clip"),
        megabytes: bytes as f64 / 1e6,
        seconds: since.elapsed().as_secs_f64(),
        grew_kib: highest.saturating_sub(before),
    }
}

/// Resident memory of this process; 0 where the system does not tell.
fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    kib.unwrap_or(0)
}

const FPS: u32 = 30;

/// How much more an hour may take than a minute: the plan has 16 bytes per frame, and the numbers
/// of the frames 8; while it is planned, a list has 32; files have tables.
const MOST_KIB: u64 = 10 << 10;
