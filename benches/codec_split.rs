//! The cost of splitting a clean stream, compared with the cost of just touching the same bytes.
//!
//! Isolated: finding the frames in an endless stream of whole frames, through `spare_mut` and
//! `filled` and through `push`, including the copy of each chunk into the splitter's buffer, which
//! stands for the read from a socket. The latest frame is held, as a fan-out holds it. Two
//! references visit each `FF` with `memchr`, and are told the lengths of the frames:
//!
//! * `reference` copies the same chunks into a buffer of the same kind, which hands out frames
//!   without a copy (`BytesMut`, `split_to`).
//! * `fixed` copies each chunk to the same place. It hands out nothing, and is the least that a
//!   reader can do.
//!
//! Absent: sockets, the async runtime, damage and resynchronisation (see `codec_hostile`),
//! consumers that hold more than the latest frame.
//!
//! The cost of the references depends on how often `FF` occurs in a scan: about every 200 bytes in
//! `camera`, as in real cameras' frames, every 900 in `noise`, every 76 in `grain`. No picture has
//! restart markers.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
    measurement::WallTime,
};
use memchr::memchr_iter;
use mjpeg_codec::{Found, Splitter, SplitterConfig};
use mjpeg_testkit::jpeg;

fn codec_split(c: &mut Criterion) {
    let mut group = c.benchmark_group("codec_split");
    for (picture, frame) in PICTURES {
        let stream = Stream::new(frame);
        group.throughput(Throughput::Bytes(stream.bytes.len() as u64));
        for chunk_bytes in CHUNK_BYTES {
            // In this order, a ratio compares measurements of the same minute.
            let parameter = format!("{picture}/{chunk_bytes}");
            fixed(&mut group, &parameter, &stream, chunk_bytes);
            reference(&mut group, &parameter, &stream, chunk_bytes);
            for (name, give) in GIVE {
                let id = BenchmarkId::new(name, &parameter);
                split(&mut group, id, &stream, chunk_bytes, give);
            }
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

/// Visits each `FF`, and returns their number. `count()` would not visit them.
fn visit(bytes: &[u8]) -> usize {
    let mut visited = 0;
    for at in memchr_iter(0xFF, bytes) {
        black_box(at);
        visited += 1;
    }
    visited
}

/// Splits the stream.
fn split(group: Group<'_, '_>, id: BenchmarkId, stream: &Stream, chunk_bytes: usize, give: Give) {
    let mut splitter = Splitter::new(SplitterConfig::default());
    let mut latest = None;
    group.bench_function(id, |b| {
        b.iter(|| {
            let mut frames = 0;
            for chunk in stream.bytes.chunks(chunk_bytes) {
                give(&mut splitter, &stream.bytes, chunk);
                while let Some(event) = splitter.poll() {
                    let Found::Frame(frame) = event else {
                        panic!("a clean stream holds only frames: {event:?}");
                    };
                    frames += 1;
                    latest = Some(frame);
                }
            }
            assert_eq!(frames, stream.lengths.len());
            black_box(&latest);
        });
    });
}

fn filled(splitter: &mut Splitter, _: &Bytes, chunk: &[u8]) {
    splitter.spare_mut()[..chunk.len()].copy_from_slice(chunk);
    splitter.filled(chunk.len());
}

fn push(splitter: &mut Splitter, bytes: &Bytes, chunk: &[u8]) {
    splitter.push(bytes.slice_ref(chunk));
}

/// Makes the frame with this number.
type Numbered = fn(u32) -> Bytes;

/// A clean stream, and what a reader must find in it.
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
        let bytes: Bytes = frames.iter().copied().flatten().copied().collect();
        Self {
            lengths: frames.iter().map(|frame| frame.len()).collect(),
            ff_bytes: bytes.iter().filter(|&&b| b == 0xFF).count(),
            bytes,
        }
    }
}

/// Frames of lengths that cameras send.
const PICTURES: [(&str, Numbered); 5] = [
    ("camera_100kB", |number| jpeg::dense(number, 100_000)),
    ("camera_20kB", |number| jpeg::dense(number, 20_000)),
    ("camera_300kB", |number| jpeg::dense(number, 300_000)),
    ("noise_100kB", |number| jpeg::of_length(number, 100_000)),
    ("grain_70kB", |number| jpeg::sized(number, 640, 480)),
];

/// Passes a chunk of the stream's bytes to a splitter.
type Give = fn(&mut Splitter, &Bytes, &[u8]);

const GIVE: [(&str, Give); 2] = [("filled", filled), ("push", push)];

/// The most that a read of a busy socket returns, and the payload of an Ethernet packet.
const CHUNK_BYTES: [usize; 2] = [64 << 10, 1460];

/// Enough that branch predictors cannot memorise them.
const DISTINCT_FRAMES: u32 = 8;

/// More than the caches of small machines.
const STREAM_BYTES: usize = 8_000_000;

criterion_group!(benches, codec_split);
criterion_main!(benches);
