//! Bytes made to slow the splitter down, compared with a clean stream.
//!
//! Isolated: `spare_mut`, `filled` and `poll` over 4 MB of one repeated pattern in chunks of 64
//! KiB, including the copy into the splitter's buffer; and `clean`, the same with frames of 100 kB,
//! measured in the same run. Each iteration uses a new splitter. The patterns named `paid` have
//! just as many bytes as the splitter demands for each decision, so it never takes them for a
//! flood. The patterns named `parts` go through the multipart parser.
//!
//! Absent: sockets, the async runtime.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mjpeg_codec::{Splitter, SplitterConfig, multipart::Parser};
use mjpeg_testkit::jpeg;

fn codec_hostile(c: &mut Criterion) {
    let mut group = c.benchmark_group("codec_hostile");
    let clean: Vec<u8> = (0..8)
        .flat_map(|number| jpeg::dense(number, 100_000))
        .collect();
    let mut measure = |name: &str, once: &[u8], pattern: &[u8], events: fn(&[u8]) -> usize| {
        let again = pattern.iter().cycle().take(STREAM_BYTES);
        let stream: Vec<u8> = once.iter().chain(again).copied().collect();
        group.throughput(Throughput::Bytes(stream.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter(|| assert!(events(&stream) > 0));
        });
    };
    measure("clean", &[], &clean, frames);
    for (name, once, pattern) in patterns() {
        measure(name, once, &pattern, frames);
    }
    for (name, once, pattern) in parts_patterns() {
        measure(name, once, &pattern, parts);
    }
    group.finish();
}

/// Feeds a stream to a splitter or a parser, and counts the events.
macro_rules! count_events {
    ($reader:expr, $stream:expr) => {{
        let mut reader = $reader;
        let mut events = 0;
        for chunk in $stream.chunks(CHUNK_BYTES).chain([&[][..]]) {
            reader.spare_mut()[..chunk.len()].copy_from_slice(chunk);
            reader.filled(chunk.len());
            if chunk.is_empty() {
                reader.finish();
            }
            while let Some(event) = reader.poll() {
                black_box(event);
                events += 1;
            }
        }
        events
    }};
}

fn frames(stream: &[u8]) -> usize {
    count_events!(Splitter::new(SplitterConfig::default()), stream)
}

fn parts(stream: &[u8]) -> usize {
    count_events!(Parser::default(), stream)
}

/// The name, the bytes that come once, and the bytes that are then repeated.
type Pattern = (&'static str, &'static [u8], Vec<u8>);

fn patterns() -> Vec<Pattern> {
    let soi_sof = [&SOI[..], &SOF].concat();
    let soi_sof_sof = [&soi_sof[..], &SOF].concat();
    let soi_sof_eoi = [&soi_sof[..], &EOI].concat();
    let soi_sof_sos = [&soi_sof[..], &SOS].concat();
    let bad_marker = [&soi_sof_sos[..], &[0xFF, 2]].concat();
    let frame = [&soi_sof_sos[..], &[0x2A], &EOI].concat();
    let tables = [&SOI[..], &[0xFF, 0xC4, 1, 0x12], &[0; 16 * 17], &[0xFF, 2]].concat();
    let app0 = |bytes: &[u8]| [&SOI[..], &[0xFF, 0xE0], bytes].concat();
    let holding_soi = vec![0xFF, 0xE0, 0, 5, 0xFF, 0xD8, 0xFF];
    vec![
        ("zeros", &[], vec![0]),
        ("soi", &[], SOI.to_vec()),
        ("soi_fill", &[], vec![0xFF, 0xD8, 0xFF]),
        ("eoi", &[], EOI.to_vec()),
        ("soi_app0_of_64k", &[], app0(&[0xFF, 0xFF])),
        ("soi_app0_of_32k", &[], app0(&[0x7F, 0xF1, 0x55])),
        ("soi_empty_app0", &[], app0(&[0, 2])),
        ("empty_app0", &SOI, vec![0xFF, 0xE0, 0, 2]),
        ("app0_holding_soi", &SOI, holding_soi),
        ("soi_sof", &[], soi_sof),
        ("soi_sof_sof", &[], soi_sof_sof),
        ("soi_sof_eoi", &[], soi_sof_eoi.clone()),
        ("soi_sof_sos_bad_marker", &[], bad_marker.clone()),
        ("sixteen_tables", &[], tables),
        ("scans", START, SOS.to_vec()),
        ("restarts", START_OF_SCAN, vec![0xFF, 0xD0]),
        ("fill_bytes", START, vec![0xFF]),
        ("bad_markers", START_OF_SCAN, vec![0xFF, 2]),
        ("frames_of_28_bytes", &[], frame.clone()),
        ("paid_soi_sof_eoi", &[], paid(&soi_sof_eoi, 190)),
        ("paid_soi_sof_sos_bad_marker", &[], paid(&bad_marker, 310)),
        ("paid_frames", &[], paid(&frame, 310)),
        ("paid_app0", &SOI, paid(&[0xFF, 0xE0, 0, 28], 30)),
        ("paid_scans", START, paid(&SOS, 120)),
    ]
}

fn parts_patterns() -> Vec<Pattern> {
    let frame = [&SOI[..], &SOF, &SOS, &[0x2A], &EOI].concat();
    let header =
        b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 28\r\nX-Timestamp: 5.5\r\n\r\n";
    let paid_header = [b"X-Timestamp: 5.5", &[b' '; 111][..], b"\n"].concat();
    let start = b"--frame\r\n";
    vec![
        ("parts_blank_lines", &[], b"\n".to_vec()),
        ("parts_delimiters", &[], b"--f\n".to_vec()),
        ("parts_headers", start, b"X-Timestamp: 5.5\n".to_vec()),
        ("parts_text", &[], b"word\n".to_vec()),
        ("parts_of_28_bytes", &[], [&header[..], &frame].concat()),
        ("parts_paid_line", &[], [&[b'x'; 127][..], b"\n"].concat()),
        ("parts_paid_header", start, paid_header),
    ]
}

/// The pattern, padded to as many bytes as the splitter demands for its decisions.
fn paid(pattern: &[u8], len: usize) -> Vec<u8> {
    let mut pattern = pattern.to_vec();
    pattern.resize(len, 0x55);
    pattern
}

const SOI: [u8; 2] = [0xFF, 0xD8];
const EOI: [u8; 2] = [0xFF, 0xD9];
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
