//! The cost of a picture at an eighth of its size, compared with the cost of decoding the frame.
//!
//! Isolated: `SmallPicture::from_frame` (`read`) of whole frames that are already split, `encode`
//! of what it returns, and `decode` of the same frames to RGB by zune-jpeg with its default
//! settings (the fastest decoder in pure Rust when this was written). All run on one core. A
//! program that decodes would have to scale and to encode after that.
//!
//! Absent: sockets, splitting, slices, sharing.
//!
//! The pictures are of 1920 by 1080 pixels, with slopes, edges and a little grain, at qualities of
//! cameras. `progressive` is read only up to its first scan.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use mjpeg_codec::{Frame, small::SmallPicture};
use zune_jpeg::{JpegDecoder, zune_core::bytestream::ZCursor};

fn codec_small(c: &mut Criterion) {
    let mut group = c.benchmark_group("codec_small");
    for (name, quality, is_progressive) in PICTURES {
        let frame = Frame::parse(jpeg(quality, is_progressive)).expect("a frame");
        let name = format!("{name}_{}kB", frame.bytes().len() / 1000);
        let small = SmallPicture::from_frame(&frame).expect("a small picture");
        // In this order, a ratio compares measurements of the same minute.
        group.bench_function(BenchmarkId::new("read", &name), |b| {
            b.iter(|| {
                let small = SmallPicture::from_frame(black_box(&frame));
                assert_eq!(small.map(|small| small.width()), Ok(WIDTH.div_ceil(8)));
            });
        });
        group.bench_function(BenchmarkId::new("encode", &name), |b| {
            b.iter(|| assert!(black_box(&small).encode().len() > 1000));
        });
        group.bench_function(BenchmarkId::new("decode", &name), |b| {
            b.iter(|| {
                let mut decoder = JpegDecoder::new(ZCursor::new(black_box(frame.bytes().as_ref())));
                let pixels = decoder.decode().expect("the frame is whole");
                assert_eq!(pixels.len(), 3 * usize::from(WIDTH) * usize::from(HEIGHT));
            });
        });
    }
    group.finish();
}

fn jpeg(quality: u8, is_progressive: bool) -> Bytes {
    let (width, height) = (usize::from(WIDTH), usize::from(HEIGHT));
    let mut pixels = Vec::with_capacity(3 * width * height);
    let mut noise = 1u32;
    for y in 0..height {
        for x in 0..width {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let edge = if (x / 90 + y / 70) % 3 == 0 { 70 } else { 0 };
            let grain = (noise >> 28) as usize;
            let value = |slope: usize| (slope + edge + grain).min(255) as u8;
            pixels.extend([
                value(x * 150 / width),
                value(y * 150 / height),
                value((x + y) * 150 / (width + height)),
            ]);
        }
    }
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, quality);
    encoder.set_sampling_factor(SamplingFactor::R_4_2_0);
    encoder.set_progressive(is_progressive);
    encoder
        .encode(&pixels, WIDTH, HEIGHT, ColorType::Rgb)
        .expect("a picture of this size");
    jpeg.into()
}

const WIDTH: u16 = 1920;
const HEIGHT: u16 = 1080;

/// Each with its quality, and whether it is progressive.
const PICTURES: [(&str, u8, bool); 3] = [
    ("sequential", 75, false),
    ("sequential", 90, false),
    ("progressive", 75, true),
];

criterion_group!(benches, codec_small);
criterion_main!(benches);
