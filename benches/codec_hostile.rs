//! What the splitter does with bytes made to slow it down, beside a clean stream.
//!
//! Isolated: `spare_mut`, `filled` and `poll` over 4 MB that are one pattern again and again, in
//! chunks of 64 KiB, with their copy into the splitter's buffer; and `clean`, the same with frames
//! of 100 kB, measured in the same run. A new splitter each time. Those named `paid` have just as
//! many bytes as the splitter asks for what they make it decide, so that it never takes them for a
//! flood. Those named `parts` go through the multipart parser.
//!
//! Absent: sockets, the async runtime.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mjpeg_codec::{Found, Splitter, SplitterConfig, multipart::Parser};
use mjpeg_testkit::jpeg;

fn codec_hostile(c: &mut Criterion) {
    let mut group = c.benchmark_group("codec_hostile");
    let clean: Vec<u8> = (0..8)
        .flat_map(|number| jpeg::dense(number, 100_000))
        .collect();
    let mut measure = |name: &str, once: &[u8], pattern: &[u8], split: fn(&[u8]) -> usize| {
        let again = pattern.iter().cycle().take(STREAM_BYTES);
        let stream: Vec<u8> = once.iter().chain(again).copied().collect();
        group.throughput(Throughput::Bytes(stream.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter(|| assert!(split(&stream) > 0));
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

/// How many events came out of a splitter.
fn frames(stream: &[u8]) -> usize {
    let mut splitter = Splitter::new(SplitterConfig::default());
    split(
        stream,
        &mut splitter,
        |splitter, chunk| {
            splitter.spare_mut()[..chunk.len()].copy_from_slice(chunk);
            splitter.filled(chunk.len());
        },
        Splitter::poll,
        Splitter::finish,
    )
}

/// How many came out of a parser.
fn parts(stream: &[u8]) -> usize {
    let mut parser = Parser::default();
    split(
        stream,
        &mut parser,
        |parser, chunk| {
            parser.spare_mut()[..chunk.len()].copy_from_slice(chunk);
            parser.filled(chunk.len());
        },
        Parser::poll,
        Parser::finish,
    )
}

fn split<R>(
    stream: &[u8],
    reader: &mut R,
    fill: impl Fn(&mut R, &[u8]),
    poll: impl Fn(&mut R) -> Option<Found>,
    finish: impl Fn(&mut R),
) -> usize {
    let mut events = 0;
    for chunk in stream.chunks(CHUNK_BYTES) {
        fill(reader, chunk);
        while let Some(event) = poll(reader) {
            black_box(event);
            events += 1;
        }
    }
    finish(reader);
    while let Some(event) = poll(reader) {
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
        // The same with as many bytes as the splitter asks for such a decision, so that it never
        // calls them a flood.
        (
            "paid_soi_sof_eoi",
            &[],
            paid(&[&soi_sof[..], &[0xFF, 0xD9]].concat(), 190),
        ),
        (
            "paid_soi_sof_sos_bad_marker",
            &[],
            paid(&[&soi_sof_sos[..], &[0xFF, 2]].concat(), 310),
        ),
        (
            "paid_frames",
            &[],
            paid(&[&soi_sof_sos[..], &[0x2A, 0xFF, 0xD9]].concat(), 310),
        ),
        ("paid_app0", &[0xFF, 0xD8], paid(&[0xFF, 0xE0, 0, 28], 30)),
        ("paid_scans", START, paid(&SOS, 120)),
    ]
}

fn parts_patterns() -> Vec<Pattern> {
    let frame = [&[0xFF, 0xD8][..], &SOF, &SOS, &[0x2A, 0xFF, 0xD9]].concat();
    let header =
        b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 28\r\nX-Timestamp: 5.5\r\n\r\n";
    vec![
        ("parts_blank_lines", &[], b"\n".to_vec()),
        ("parts_delimiters", &[], b"--f\n".to_vec()),
        (
            "parts_headers",
            b"--frame\r\n",
            b"X-Timestamp: 5.5\n".to_vec(),
        ),
        ("parts_text", &[], b"word\n".to_vec()),
        ("parts_of_28_bytes", &[], [&header[..], &frame].concat()),
        ("parts_paid_line", &[], [&[b'x'; 127][..], b"\n"].concat()),
        (
            "parts_paid_header",
            b"--frame\r\n",
            [b"X-Timestamp: 5.5", &[b' '; 111][..], b"\n"].concat(),
        ),
    ]
}

fn paid(pattern: &[u8], len: usize) -> Vec<u8> {
    let mut pattern = pattern.to_vec();
    pattern.resize(len, 0x55);
    pattern
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
