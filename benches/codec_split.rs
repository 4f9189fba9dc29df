//! What splitting a clean stream costs, beside what it costs to touch the same bytes at all.
//!
//! Isolated: finding the frames in an endless stream of whole frames, by `spare_mut` and `filled`
//! and by `push`, with the copy of each chunk into the splitter's buffer, which stands for the read
//! from a socket. The latest frame is held, as a fan-out holds it. Two references visit every `FF`
//! with `memchr`, and know from outside how long the frames are:
//!
//! * `reference` fills the same chunks into a buffer of the same kind, one whose frames are handed
//!   out without a copy (`BytesMut`, `split_to`).
//! * `fixed` copies them into one chunk's room, again and again: the least that any reader does,
//!   which hands out nothing.
//!
//! Absent: sockets, the async runtime, damage and resynchronisation (see `codec_hostile`),
//! consumers that hold more than the latest frame.
//!
//! How often `FF` stands in a scan decides what the references cost: about every 200 bytes in
//! `camera`, as in real cameras' frames, every 900 in `noise`, every 76 in `grain`. None has
//! restart markers.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
    measurement::WallTime,
};
use memchr::memchr_iter;
use mjpeg_codec::{Found, Frame, Splitter, SplitterConfig};
use mjpeg_testkit::jpeg;

fn codec_split(c: &mut Criterion) {
    let mut group = c.benchmark_group("codec_split");
    for (picture, frame) in PICTURES {
        let stream = Stream::new(frame);
        group.throughput(Throughput::Bytes(stream.bytes.len() as u64));
        for chunk_bytes in CHUNK_BYTES {
            // One after another, so that what a ratio compares was measured in the same minute.
            let parameter = format!("{picture}/{chunk_bytes}");
            fixed(&mut group, &parameter, &stream, chunk_bytes);
            reference(&mut group, &parameter, &stream, chunk_bytes);
            filled(&mut group, &parameter, &stream, chunk_bytes);
            push(&mut group, &parameter, &stream, chunk_bytes);
        }
    }
    group.finish();
}

type Group<'a, 'b> = &'a mut BenchmarkGroup<'b, WallTime>;

fn fixed(group: Group<'_, '_>, parameter: &str, stream: &Stream, chunk_bytes: usize) {
    let mut buffer = vec![0; chunk_bytes];
    group.bench_function(BenchmarkId::new("fixed", parameter), |b| {
        b.iter(|| {
            let mut visited = 0;
            for chunk in stream.bytes.chunks(chunk_bytes) {
                let buffer = &mut buffer[..chunk.len()];
                buffer.copy_from_slice(chunk);
                visited += visit(buffer);
            }
            assert_eq!(visited, stream.ff_bytes);
        });
    });
}

fn reference(group: Group<'_, '_>, parameter: &str, stream: &Stream, chunk_bytes: usize) {
    let mut buffer = BytesMut::new();
    let mut filled = 0;
    group.bench_function(BenchmarkId::new("reference", parameter), |b| {
        b.iter(|| {
            let mut lengths = stream.lengths.iter();
            let mut next = lengths.next();
            let mut visited = 0;
            let mut latest = Bytes::new();
            for chunk in stream.bytes.chunks(chunk_bytes) {
                if buffer.len() - filled < Splitter::SPARE_BYTES {
                    buffer.resize(filled + 2 * Splitter::SPARE_BYTES, 0);
                }
                let spare = &mut buffer[filled..filled + chunk.len()];
                spare.copy_from_slice(chunk);
                visited += visit(spare);
                filled += chunk.len();
                while let Some(&length) = next.filter(|&&length| length <= filled) {
                    latest = buffer.split_to(length).freeze();
                    filled -= length;
                    next = lengths.next();
                }
            }
            assert_eq!((visited, filled), (stream.ff_bytes, 0));
            black_box(latest)
        });
    });
}

/// Not `count()`, which counts without visiting.
fn visit(bytes: &[u8]) -> usize {
    let mut visited = 0;
    for at in memchr_iter(0xFF, bytes) {
        black_box(at);
        visited += 1;
    }
    visited
}

fn filled(group: Group<'_, '_>, parameter: &str, stream: &Stream, chunk_bytes: usize) {
    let mut taker = Taker::new();
    group.bench_function(BenchmarkId::new("filled", parameter), |b| {
        b.iter(|| {
            let before = taker.frames;
            for chunk in stream.bytes.chunks(chunk_bytes) {
                taker.splitter.spare_mut()[..chunk.len()].copy_from_slice(chunk);
                taker.splitter.filled(chunk.len());
                taker.take();
            }
            assert_eq!(taker.frames - before, stream.lengths.len());
        });
    });
}

fn push(group: Group<'_, '_>, parameter: &str, stream: &Stream, chunk_bytes: usize) {
    let mut taker = Taker::new();
    group.bench_function(BenchmarkId::new("push", parameter), |b| {
        b.iter(|| {
            let before = taker.frames;
            for chunk in stream.bytes.chunks(chunk_bytes) {
                taker.splitter.push(stream.bytes.slice_ref(chunk));
                taker.take();
            }
            assert_eq!(taker.frames - before, stream.lengths.len());
        });
    });
}

/// Makes a frame of its number.
type Numbered = fn(u32) -> Bytes;

/// A clean stream, and what must be found in it.
struct Stream {
    bytes: Bytes,
    lengths: Vec<usize>,
    ff_bytes: usize,
}

impl Stream {
    fn new(frame: Numbered) -> Self {
        let distinct: Vec<Bytes> = (0..DISTINCT_FRAMES).map(frame).collect();
        let frames = STREAM_BYTES / distinct[0].len();
        let frames: Vec<&Bytes> = distinct.iter().cycle().take(frames).collect();
        let bytes: Bytes = frames
            .iter()
            .flat_map(|frame| frame.iter().copied())
            .collect();
        Self {
            lengths: frames.iter().map(|frame| frame.len()).collect(),
            ff_bytes: bytes.iter().filter(|&&b| b == 0xFF).count(),
            bytes,
        }
    }
}

/// A splitter, and what came out of it.
struct Taker {
    splitter: Splitter,
    frames: usize,
    latest: Option<Frame>,
}

impl Taker {
    fn new() -> Self {
        Self {
            splitter: Splitter::new(SplitterConfig::default()),
            frames: 0,
            latest: None,
        }
    }

    fn take(&mut self) {
        while let Some(event) = self.splitter.poll() {
            match event {
                Found::Frame(frame) => {
                    self.frames += 1;
                    self.latest = Some(frame);
                }
                other => panic!("a clean stream holds nothing but frames: {other:?}"),
            }
        }
    }
}

/// Frames as long as cameras send them, each by its number.
const PICTURES: [(&str, Numbered); 5] = [
    ("camera_100kB", |number| jpeg::dense(number, 100_000)),
    ("camera_20kB", |number| jpeg::dense(number, 20_000)),
    ("camera_300kB", |number| jpeg::dense(number, 300_000)),
    ("noise_100kB", |number| jpeg::of_length(number, 100_000)),
    ("grain_70kB", |number| jpeg::sized(number, 640, 480)),
];

/// What one read of a busy socket gives at most, and what one Ethernet packet carries.
const CHUNK_BYTES: [usize; 2] = [64 << 10, 1460];

/// Enough that no branch predictor learns them by heart.
const DISTINCT_FRAMES: u32 = 8;

/// More than the caches of small machines.
const STREAM_BYTES: usize = 8_000_000;

criterion_group!(benches, codec_split);
criterion_main!(benches);
