//! How many allocations and allocated bytes a frame costs: counted, not timed.
//!
//! Isolated: a steady stream of whole frames through `spare_mut`, `filled` and `poll`, after the
//! first 50, with the latest frame held as a fan-out holds it; then a repair that inserts Huffman
//! tables, one that is not needed, and an entropy check.

use std::hint::black_box;

use allocation_counter::measure;
use bytes::Bytes;
use mjpeg_codec::{Found, Frame, Splitter, SplitterConfig, repair::Repairs};
use mjpeg_testkit::jpeg;

fn main() {
    println!(
        "{:<28} {:>12} {:>16}",
        "per frame", "allocations", "bytes allocated"
    );
    for (name, len) in [
        ("split, 20 kB", 20_000),
        ("split, 100 kB", 100_000),
        ("split, 1 MB", 1_000_000),
    ] {
        let frames: Vec<Bytes> = (0..4).map(|number| jpeg::dense(number, len)).collect();
        let mut splitter = Splitter::new(SplitterConfig::default());
        let mut latest = None;
        feed(&mut splitter, &frames, &mut latest);
        report(name, FRAMES, || feed(&mut splitter, &frames, &mut latest));
        black_box(latest);
    }
    let frame = Frame::parse(jpeg::without_dht(&jpeg::of_length(1, 100_000))).expect("a frame");
    report("repair, tables inserted", 1, || {
        black_box(frame.repaired(Repairs::RECOMMENDED));
    });
    let (whole, _) = frame.repaired(Repairs::RECOMMENDED);
    report("repair, not needed", 1, || {
        black_box(whole.repaired(Repairs::RECOMMENDED));
    });
    report("verify", 1, || {
        black_box(whole.verify());
    });
}

fn feed(splitter: &mut Splitter, frames: &[Bytes], latest: &mut Option<Frame>) {
    let mut found = 0;
    for frame in frames.iter().cycle().take(FRAMES) {
        for chunk in frame.chunks(CHUNK_BYTES) {
            splitter.spare_mut()[..chunk.len()].copy_from_slice(chunk);
            splitter.filled(chunk.len());
            while let Some(Found::Frame(frame)) = splitter.poll() {
                *latest = Some(frame);
                found += 1;
            }
        }
    }
    assert_eq!(found, FRAMES);
}

fn report(name: &str, frames: usize, work: impl FnOnce()) {
    let info = measure(work);
    let each = info.count_total as f64 / frames as f64;
    println!(
        "{name:<28} {each:>12.2} {:>16}",
        info.bytes_total / frames as u64
    );
}

const FRAMES: usize = 50;

/// One read of a busy socket.
const CHUNK_BYTES: usize = 64 << 10;
