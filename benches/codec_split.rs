//! What splitting a clean stream costs, beside what it costs to touch the same bytes at all.
//!
//! Isolated: finding the frames in a stream of whole frames, by `spare_mut` and `filled` and by `push`, with the copy of
//! each chunk into the splitter's buffer, which stands for the read from a socket. The latest frame is held, as a
//! fan-out holds it. The reference copies the same chunks into one buffer that stays, and visits every `FF` in them with
//! `memchr`; it does not know what a frame is.
//!
//! Absent: sockets, the async runtime, damage and resynchronisation, consumers that hold more than the latest frame.
//!
//! How often `FF` stands in a scan decides the cost, and depends on the picture: about every 600 bytes in `noise_20kB`,
//! every 900 in `noise_100kB`, every 76 in `grain_70kB`, a flat colour with a little grain. None has restart markers.

use std::{hint::black_box, time::Duration};

use bytes::Bytes;
use criterion::{
    BatchSize, BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
    measurement::WallTime,
};
use memchr::memchr_iter;
use mjpeg_codec::{Event, Frame, Splitter, SplitterConfig};
use mjpeg_testkit::jpeg;

fn codec_split(c: &mut Criterion) {
    let mut group = c.benchmark_group("codec_split");
    group.warm_up_time(WARM_UP_TIME);
    for (picture, frame) in PICTURES {
        let stream = Stream::new(frame);
        group.throughput(Throughput::Bytes(stream.bytes.len() as u64));
        for chunk_bytes in CHUNK_BYTES {
            // One after another, so that what a ratio compares was measured in the same minute.
            let parameter = format!("{picture}/{chunk_bytes}");
            reference(&mut group, &parameter, &stream, chunk_bytes);
            filled(&mut group, &parameter, &stream, chunk_bytes);
            push(&mut group, &parameter, &stream, chunk_bytes);
        }
    }
    group.finish();
}

fn reference(
    group: &mut BenchmarkGroup<'_, WallTime>,
    parameter: &str,
    stream: &Stream,
    chunk_bytes: usize,
) {
    let mut buffer = vec![0; chunk_bytes];
    group.bench_function(BenchmarkId::new("reference", parameter), |b| {
        b.iter(|| {
            let mut visited = 0;
            for chunk in stream.bytes.chunks(chunk_bytes) {
                let buffer = &mut buffer[..chunk.len()];
                buffer.copy_from_slice(chunk);
                // Not `count()`, which counts without visiting.
                for at in memchr_iter(0xFF, buffer) {
                    black_box(at);
                    visited += 1;
                }
            }
            assert_eq!(visited, stream.ff_bytes);
        });
    });
}

fn filled(
    group: &mut BenchmarkGroup<'_, WallTime>,
    parameter: &str,
    stream: &Stream,
    chunk_bytes: usize,
) {
    group.bench_function(BenchmarkId::new("filled", parameter), |b| {
        b.iter_batched(
            Taker::new,
            |mut taker| {
                for chunk in stream.bytes.chunks(chunk_bytes) {
                    taker.splitter.spare_mut()[..chunk.len()].copy_from_slice(chunk);
                    taker.splitter.filled(chunk.len());
                    taker.take();
                }
                assert_eq!(taker.frames, stream.frames);
                taker
            },
            BatchSize::PerIteration,
        );
    });
}

fn push(
    group: &mut BenchmarkGroup<'_, WallTime>,
    parameter: &str,
    stream: &Stream,
    chunk_bytes: usize,
) {
    let chunks: Vec<Bytes> = stream
        .bytes
        .chunks(chunk_bytes)
        .map(|chunk| stream.bytes.slice_ref(chunk))
        .collect();
    group.bench_function(BenchmarkId::new("push", parameter), |b| {
        b.iter_batched(
            || (Taker::new(), chunks.clone()),
            |(mut taker, chunks)| {
                for chunk in chunks {
                    taker.splitter.push(chunk);
                    taker.take();
                }
                assert_eq!(taker.frames, stream.frames);
                taker
            },
            BatchSize::PerIteration,
        );
    });
}

/// Makes a frame of its number.
type Numbered = fn(u32) -> Bytes;

/// A clean stream, and what must be found in it.
struct Stream {
    bytes: Bytes,
    frames: usize,
    ff_bytes: usize,
}

impl Stream {
    fn new(frame: Numbered) -> Self {
        let distinct: Vec<Bytes> = (0..DISTINCT_FRAMES).map(frame).collect();
        let frames = STREAM_BYTES / distinct[0].len();
        let bytes = distinct.iter().cycle().take(frames).flatten().copied();
        let bytes: Bytes = bytes.collect();
        let ff_bytes = bytes.iter().filter(|&&b| b == 0xFF).count();
        Self {
            bytes,
            frames,
            ff_bytes,
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
                Event::Frame(frame) => {
                    self.frames += 1;
                    self.latest = Some(frame);
                }
                other => panic!("a clean stream holds nothing but frames: {other:?}"),
            }
        }
    }
}

/// Frames as long as cameras send them at 640x480 and at 1920x1080, and one with many `FF`; each by its number.
const PICTURES: [(&str, Numbered); 3] = [
    ("noise_20kB", |number| jpeg::of_length(number, 20_000)),
    ("noise_100kB", |number| jpeg::of_length(number, 100_000)),
    ("grain_70kB", |number| jpeg::sized(number, 640, 480)),
];

/// What one read of a busy socket gives at most, and what one Ethernet packet carries.
const CHUNK_BYTES: [usize; 2] = [64 << 10, 1460];

/// Enough that no branch predictor learns them by heart.
const DISTINCT_FRAMES: u32 = 8;

/// More than the caches of small machines.
const STREAM_BYTES: usize = 8_000_000;

const WARM_UP_TIME: Duration = Duration::from_secs(1);

criterion_group!(benches, codec_split);
criterion_main!(benches);
