//! The work stays proportional to the bytes of any stream, and the memory within its bound.
#![cfg(feature = "__fuzzing")]

use std::iter;

use mjpeg_codec::{Splitter, SplitterConfig, fuzzing};
use mjpeg_testkit::jpeg;

/// Bytes examined or copied and steps taken, per byte of the stream. The crate's `resync.rs`
/// explains the bound.
const MOST_WORK_PER_BYTE: u64 = 6;

const SOI: &[u8] = &[0xFF, 0xD8];
const SOF: &[u8] = &[0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0];
const SOS: &[u8] = &[0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0];

/// Returns the splitter's work per byte of the stream.
fn work_per_byte(stream: &[u8]) -> f64 {
    let mut most = 0.0_f64;
    for chunk_bytes in [1460, 64 << 10] {
        let before = fuzzing::work();
        let mut splitter = Splitter::new(SplitterConfig::default());
        for chunk in stream.chunks(chunk_bytes) {
            splitter.spare_mut()[..chunk.len()].copy_from_slice(chunk);
            splitter.filled(chunk.len());
            while splitter.poll().is_some() {}
        }
        splitter.finish();
        while splitter.poll().is_some() {}
        most = most.max((fuzzing::work() - before) as f64 / stream.len() as f64);
    }
    most
}

/// Checks the bound at a size and at four times that, where work that grows faster than the bytes
/// shows.
#[track_caller]
fn check(stream: impl Fn(usize) -> Vec<u8>) {
    for len in [150_000, 600_000] {
        let work = work_per_byte(&stream(len));
        assert!(
            work <= MOST_WORK_PER_BYTE as f64,
            "{work:.1} per byte of {len}"
        );
    }
}

fn repeated(once: &[u8], pattern: &[u8], len: usize) -> Vec<u8> {
    let again = pattern.iter().cycle().take(len);
    once.iter().chain(again).copied().collect()
}

#[test]
fn clean_frames_cost_a_pass_or_two() {
    let frames: Vec<u8> = (0..20).flat_map(|n| jpeg::dense(n, 100_000)).collect();
    let work = work_per_byte(&frames);
    assert!(work < 2.0, "{work}");
}

#[test]
fn floods_of_one_pattern() {
    let segment_of = |length: u16| [&[0xFF, 0xD8, 0xFF, 0xE0][..], &length.to_be_bytes()].concat();
    let header = [SOI, SOF, SOS].concat();
    let tables = [&[0xFF, 0xD8, 0xFF, 0xC4, 1, 0x12][..], &[0; 16 * 17]].concat();
    for pattern in [
        SOI.to_vec(),
        vec![0xFF, 0xD8, 0xFF],
        vec![0xFF, 0xD9],
        vec![0xFF],
        segment_of(2),
        segment_of(0),
        segment_of(0x7FF1),
        segment_of(0xFFFF),
        [SOI, SOF].concat(),
        [SOI, SOF, SOF].concat(),
        [SOI, SOF, &[0xFF, 0xD9]].concat(),
        [&header[..], &[0xFF, 2]].concat(),
        [&header[..], &[1, 0xFF, 0xD9]].concat(),
        [&tables[..], &[0xFF, 2]].concat(),
        tables,
    ] {
        check(|len| repeated(&[], &pattern, len));
    }
}

#[test]
fn floods_inside_a_frame() {
    let header = [SOI, SOF].concat();
    let scan = [SOI, SOF, SOS].concat();
    for (once, pattern) in [
        (&header, SOS),
        (&header, &[0xFF, 0xE0, 0, 2][..]),
        (&header, &[0xFF, 0xE0, 0, 5, 0xFF, 0xD8, 0xFF]),
        (&header, &[0xFF]),
        (&scan, &[0xFF, 0xD0]),
        (&scan, &[0xFF, 2]),
        (&scan, &[0xFF]),
    ] {
        check(|len| repeated(once, pattern, len));
    }
}

/// Many beginnings of frames whose first segments all end at one place, and the bytes at that
/// place.
fn false_segments(len: usize, target: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    while stream.len() < len {
        let starts = 60_000 / 6;
        for i in 0..starts {
            let length = 2 + 6 * (starts - 1 - i);
            stream.extend([0xFF, 0xD8, 0xFF, 0xE0]);
            stream.extend((length as u16).to_be_bytes());
        }
        stream.extend(target);
    }
    stream
}

#[test]
fn false_segments_that_end_at_one_place() {
    let long_scan = [SOF, SOS, &vec![0x55; 300_000], &[0xFF, 2]].concat();
    let fill = vec![0xFF; 300_000];
    let scans: Vec<u8> = iter::once(SOF)
        .chain(iter::repeat_n(SOS, 20_000))
        .flatten()
        .copied()
        .collect();
    let headerless_scan = [SOS, &vec![0x55; 300_000]].concat();
    let twice = [SOF, &[0xFF, 0xE1, 0xFF, 0xFF][..], &[0x55; 65533], SOF].concat();
    for target in [&long_scan[..], &fill, &scans, &headerless_scan, &twice] {
        check(|len| false_segments(len, target));
    }
}

/// Chains of 64 KiB segments side by side. Each begins with an SOI a few bytes after the previous
/// one.
#[test]
fn chains_of_long_segments_side_by_side() {
    check(|len| {
        let mut stream = vec![0x55; len];
        let step = 65_532;
        for chain in 0..4_000 {
            let mut at = chain * 8;
            for link in [0xFF, 0xD8] {
                if let Some(byte) = stream.get_mut(at) {
                    *byte = link;
                }
                at += 1;
            }
            while at + 4 < len {
                stream[at..at + 4].copy_from_slice(&[0xFF, 0xE0, 0xFF, 0xFA]);
                at += step;
            }
        }
        stream
    });
}

/// A run of fill in which false segments end, each a little before the previous one.
#[test]
fn false_segments_that_end_in_fill_ever_earlier() {
    check(|len| {
        let mut stream = Vec::new();
        for i in 0..5_000_u16 {
            stream.extend([0xFF, 0xD8, 0xFF, 0xE0]);
            // Ends in the fill, 7 bytes before the previous one, if there is room.
            stream.extend((60_000 - 7 * i).to_be_bytes());
        }
        stream.resize(len.max(stream.len()), 0xFF);
        stream
    });
}

/// Frames of all sizes up to and beyond the limit, held like by a slow consumer.
#[test]
fn memory_is_bounded_by_the_largest_frame() {
    let limit = 400_000;
    let mut splitter = Splitter::new(SplitterConfig::default().with_max_frame_bytes(limit));
    let mut held = std::collections::VecDeque::new();
    for round in 0..300_u32 {
        let len = 2_000 + (round as usize * 7919) % 500_000;
        let mut frame = repeated(&[SOI, SOF, SOS].concat(), &[0x55], len);
        if round % 5 != 0 {
            frame.extend([0xFF, 0xD9]);
        }
        for chunk in frame.chunks(64 << 10) {
            splitter.spare_mut()[..chunk.len()].copy_from_slice(chunk);
            splitter.filled(chunk.len());
            while let Some(event) = splitter.poll() {
                held.push_back(event);
            }
            held.drain(..held.len().saturating_sub(6));
            // The current buffer has at most twice its contents and a read. Up to four more have at
            // most twice the latest frame's size.
            let most = 2 * limit + 4 * 2 * (limit + limit / 8) + (1 << 20);
            let bytes = fuzzing::buffer_bytes(&splitter);
            assert!(bytes <= most, "{bytes} bytes in round {round}");
        }
    }
}
