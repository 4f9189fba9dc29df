//! What the splitter does with bytes made to slow it down, beside a clean stream.
//!
//! Isolated: `spare_mut`, `filled` and `poll` over 4 MB that are one pattern again and again, in chunks of 64 KiB, with their copy into the
//! splitter's buffer; and `clean`, the same with frames of 100 kB, measured in the same run. A new splitter each time.
//!
//! Absent: sockets, the async runtime, multipart.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mjpeg_codec::{Splitter, SplitterConfig};
use mjpeg_testkit::jpeg;

fn codec_hostile(c: &mut Criterion) {
    let mut group = c.benchmark_group("codec_hostile");
    let clean: Vec<u8> = (0..8)
        .flat_map(|number| jpeg::dense(number, 100_000))
        .collect();
    let patterns = patterns();
    let clean = [("clean", &[][..], &clean[..])];
    let patterns = patterns
        .iter()
        .map(|(name, once, pattern)| (*name, *once, &pattern[..]));
    for (name, once, pattern) in clean.into_iter().chain(patterns) {
        let again = pattern.iter().cycle().take(STREAM_BYTES);
        let stream: Vec<u8> = once.iter().chain(again).copied().collect();
        group.throughput(Throughput::Bytes(stream.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter(|| assert!(split(&stream) > 0));
        });
    }
    group.finish();
}

/// How many events came out.
fn split(stream: &[u8]) -> usize {
    let mut splitter = Splitter::new(SplitterConfig::default());
    let mut events = 0;
    for chunk in stream.chunks(CHUNK_BYTES) {
        splitter.spare_mut()[..chunk.len()].copy_from_slice(chunk);
        splitter.filled(chunk.len());
        while let Some(event) = splitter.poll() {
            black_box(event);
            events += 1;
        }
    }
    splitter.finish();
    while let Some(event) = splitter.poll() {
        black_box(event);
        events += 1;
    }
    events
}

/// Name, what comes once, what comes again and again.
type Pattern = (&'static str, &'static [u8], Vec<u8>);

fn patterns() -> Vec<Pattern> {
    let soi_sof = [&[0xFF, 0xD8][..], &SOF].concat();
    let soi_sof_sos = [&soi_sof[..], &SOS].concat();
    let tables = [
        &[0xFF, 0xD8, 0xFF, 0xC4, 1, 0x12][..],
        &[0; 16 * 17],
        &[0xFF, 2],
    ]
    .concat();
    vec![
        ("zeros", &[], vec![0]),
        ("soi", &[], vec![0xFF, 0xD8]),
        ("soi_fill", &[], vec![0xFF, 0xD8, 0xFF]),
        ("eoi", &[], vec![0xFF, 0xD9]),
        (
            "soi_app0_of_64k",
            &[],
            vec![0xFF, 0xD8, 0xFF, 0xE0, 0xFF, 0xFF],
        ),
        (
            "soi_app0_of_32k",
            &[],
            vec![0xFF, 0xD8, 0xFF, 0xE0, 0x7F, 0xF1, 0x55],
        ),
        ("soi_empty_app0", &[], vec![0xFF, 0xD8, 0xFF, 0xE0, 0, 2]),
        ("empty_app0", &[0xFF, 0xD8], vec![0xFF, 0xE0, 0, 2]),
        (
            "app0_holding_soi",
            &[0xFF, 0xD8],
            vec![0xFF, 0xE0, 0, 5, 0xFF, 0xD8, 0xFF],
        ),
        ("soi_sof", &[], soi_sof.clone()),
        ("soi_sof_sof", &[], [&soi_sof[..], &SOF].concat()),
        ("soi_sof_eoi", &[], [&soi_sof[..], &[0xFF, 0xD9]].concat()),
        (
            "soi_sof_sos_bad_marker",
            &[],
            [&soi_sof_sos[..], &[0xFF, 2]].concat(),
        ),
        ("sixteen_tables", &[], tables),
        ("scans", START, SOS.to_vec()),
        ("restarts", START_OF_SCAN, vec![0xFF, 0xD0]),
        ("fill_bytes", START, vec![0xFF]),
        ("bad_markers", START_OF_SCAN, vec![0xFF, 2]),
        (
            "frames_of_28_bytes",
            &[],
            [&soi_sof_sos[..], &[0x2A, 0xFF, 0xD9]].concat(),
        ),
    ]
}

const SOF: [u8; 13] = [0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0];
const SOS: [u8; 10] = [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0];
const START: &[u8] = &[0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0];
const START_OF_SCAN: &[u8] = &[
    0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0, 0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63,
    0,
];

const CHUNK_BYTES: usize = 64 << 10;

const STREAM_BYTES: usize = 4_000_000;

criterion_group!(benches, codec_hostile);
criterion_main!(benches);
