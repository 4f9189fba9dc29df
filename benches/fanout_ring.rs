//! What it takes to keep a frame in a ring, and what a ring says of frames that it did not get.
//!
//! Isolated: `RingWriter::push` at the limit of the memory, so that each frame drops an old one,
//! next to a copy of the same frames into one buffer; then a recorder whose queue is too short for
//! what is published at once, next to one whose queue is long enough.
//!
//! Absent: a camera, and readers of the ring.

use std::{
    hint::black_box,
    time::{Duration, SystemTime},
};

use mjpeg_codec::{Frame, Stamp};
use mjpeg_fanout::{RecorderConfig, ReplayRing, RingConfig, RingMemory, RingWriter};
use mjpeg_testkit::jpeg;
use tokio::{runtime::Builder, task::yield_now, time::Instant};

fn main() {
    // Without `--bench`, as in `cargo test --benches`, nothing is measured.
    let is_measured = std::env::args().any(|argument| argument == "--bench");
    let frames = if is_measured { 20_000 } else { 100 };
    for length in [2_000, 20_000, 100_000] {
        pushed(length, frames);
    }
    let runtime = Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime");
    for queue in [AT_ONCE, AT_ONCE / 4] {
        runtime.block_on(recorded(queue));
    }
}

/// Times frames of about this length, pushed and copied by turns.
fn pushed(length: usize, frames: usize) {
    let pictures: Vec<Frame> = (0..4).map(|number| frame(number, length)).collect();
    let (producer, consumer) = mjpeg_fanout::channel();
    let published = pictures.iter().map(|picture| {
        producer.publish(picture.clone(), stamp());
        consumer.latest().expect("just published")
    });
    let published: Vec<_> = published.collect();
    let (mut writer, ring) = ring(64 << 20);
    let mut buffer = Vec::with_capacity(2 * length);
    let mut ratios = Vec::new();
    let mut nanoseconds = Vec::new();
    for _ in 0..9 {
        let since = Instant::now();
        for published in published.iter().cycle().take(frames / 9) {
            writer.push(published);
        }
        let push = since.elapsed();
        let since = Instant::now();
        for picture in pictures.iter().cycle().take(frames / 9) {
            buffer.clear();
            buffer.extend_from_slice(picture.bytes());
            black_box(&mut buffer);
        }
        ratios.push(push.as_secs_f64() / since.elapsed().as_secs_f64());
        nanoseconds.push(push.as_nanos() / (frames / 9) as u128);
    }
    ratios.sort_by(f64::total_cmp);
    nanoseconds.sort_unstable();
    println!(
        "fanout_ring/push/{length}: {} ns per frame, {:.2} of a copy; {:?}",
        nanoseconds[4],
        ratios[4],
        ring.stats()
    );
}

/// Records bursts through a queue of this many frames, and checks that none is lost in silence.
async fn recorded(queue: usize) {
    let (producer, _consumer) = mjpeg_fanout::channel();
    let mut recorder = producer.record(RecorderConfig::default().with_max_frames(queue));
    let (mut writer, ring) = ring(64 << 20);
    let recording = async { writer.record(&mut recorder).await };
    let publishing = async {
        for number in 0..BURSTS * AT_ONCE {
            producer.publish(frame(number as u32, 2_000), stamp());
            if number % AT_ONCE == AT_ONCE - 1 {
                while ring.stats().recorded + ring.stats().lost <= number as u64 {
                    yield_now().await;
                }
            }
        }
        drop(producer);
    };
    let both = async { tokio::join!(recording, publishing) };
    let ended = tokio::time::timeout(Duration::from_secs(60), both).await;
    ended.expect("each frame is recorded, or counted as lost");
    let stats = ring.stats();
    println!(
        "fanout_ring/record: {BURSTS} x {AT_ONCE} frames at once, a queue of {queue}: {} recorded, \
         {} lost",
        stats.recorded, stats.lost
    );
    assert_eq!(stats.recorded, (BURSTS * queue) as u64);
    assert_eq!(stats.lost, (BURSTS * (AT_ONCE - queue)) as u64);
}

fn ring(bytes: usize) -> (RingWriter, ReplayRing) {
    let config = RingConfig::default().with_max_bytes(bytes);
    ReplayRing::new(config, &RingMemory::new(bytes))
}

fn frame(number: u32, length: usize) -> Frame {
    Frame::parse(jpeg::dense(number, length)).expect("a frame")
}

fn stamp() -> Stamp {
    Stamp::new(SystemTime::now(), Instant::now().into_std())
}

const AT_ONCE: usize = 40;
const BURSTS: usize = 50;
