//! The cost of a frame's entropy check, compared with the cost of decoding the frame.
//!
//! Isolated: `Frame::verify` of whole frames that are already split, and `decode` of the same bytes
//! to RGB by zune-jpeg with its default settings (the fastest decoder in pure Rust when this was
//! written). Both run on one core.
//!
//! Absent: sockets, splitting, damaged frames (the check ends at the first flaw), any use of the
//! pixels.
//!
//! The cost of both depends on the bytes per block: about 36 in the `noise` pictures, 10 in
//! `grain_70kB`, a flat colour with a little noise. `with_own_tables` is `noise_20kB` with Huffman
//! tables other than the typical ones, which the check must expand for each frame.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
    measurement::WallTime,
};
use mjpeg_codec::{Frame, verify::Verdict};
use mjpeg_testkit::jpeg;
use zune_jpeg::{JpegDecoder, zune_core::bytestream::ZCursor};

fn codec_verify(c: &mut Criterion) {
    let mut group = c.benchmark_group("codec_verify");
    for (picture, frame) in PICTURES {
        let frames: Vec<Frame> = (0..DISTINCT_FRAMES)
            .map(|number| Frame::parse(frame(number)).expect("the testkit makes whole frames"))
            .collect();
        let bytes: usize = frames.iter().map(|frame| frame.bytes().len()).sum();
        group.throughput(Throughput::Bytes(bytes as u64));
        // In this order, a ratio compares measurements of the same minute.
        verify(&mut group, picture, &frames);
        decode(&mut group, picture, &frames);
    }
    group.finish();
}

fn verify(group: &mut BenchmarkGroup<'_, WallTime>, picture: &str, frames: &[Frame]) {
    group.bench_function(BenchmarkId::new("verify", picture), |b| {
        b.iter(|| {
            for frame in frames {
                let verdict = black_box(frame).verify();
                assert_eq!(verdict, Verdict::Complete { surplus_bytes: 0 });
            }
        });
    });
}

fn decode(group: &mut BenchmarkGroup<'_, WallTime>, picture: &str, frames: &[Frame]) {
    group.bench_function(BenchmarkId::new("decode", picture), |b| {
        b.iter(|| {
            for frame in frames {
                let mut decoder = JpegDecoder::new(ZCursor::new(black_box(frame.bytes().as_ref())));
                let pixels = decoder.decode().expect("the frame is whole");
                let expected = 3 * usize::from(frame.width()) * usize::from(frame.height());
                assert_eq!(pixels.len(), expected);
            }
        });
    });
}

/// A frame whose table for luminance AC coefficients lacks the last code of the typical one. The
/// noise does not use that code.
fn with_own_tables(number: u32) -> Bytes {
    let jpeg = jpeg::of_length(number, 20_000);
    let is_table = |at: &usize| jpeg[*at..*at + 2] == [0xFF, 0xC4] && jpeg[*at + 4] == 0x10;
    let at = (0..jpeg.len() - 5).find(is_table);
    let at = at.expect("the testkit's frames have tables");
    let mut changed = jpeg.to_vec();
    let end = at + 2 + usize::from(jpeg[at + 3]);
    // The length of the segment, the number of 16-bit codes, the last value.
    changed[at + 3] -= 1;
    changed[at + 20] -= 1;
    changed.remove(end - 1);
    changed.into()
}

/// Makes the frame with this number.
type Numbered = fn(u32) -> Bytes;

/// Frames as long as those of cameras at 640x480 and at 1920x1080, and one with short blocks.
const PICTURES: [(&str, Numbered); 4] = [
    ("noise_20kB", |number| jpeg::of_length(number, 20_000)),
    ("noise_100kB", |number| jpeg::of_length(number, 100_000)),
    ("grain_70kB", |number| jpeg::sized(number, 640, 480)),
    ("with_own_tables", with_own_tables),
];

/// Enough that branch predictors cannot memorise them.
const DISTINCT_FRAMES: u32 = 8;

criterion_group!(benches, codec_verify);
criterion_main!(benches);
