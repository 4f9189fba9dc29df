//! Streams of almost nothing but decisions. They count as floods, and no frame is lost by them.

use mjpeg_codec::{
    DiscardReason::{self, Flood, Framing, Truncated},
    SplitterConfig,
    multipart::ParserConfig,
};
use mjpeg_testkit::jpeg;

use crate::{
    check::{Discarded, Expected, frames_in, outcome, parts},
    made::Made,
};

const SOI: &[u8] = &[0xFF, 0xD8];
const SOF: &[u8] = &[0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0];
const SOS: &[u8] = &[0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0];
const APP0_OF_64K: &[u8] = &[0xFF, 0xD8, 0xFF, 0xE0, 0xFF, 0xFF];

/// Returns the output of a stream, checked to be the same for all chunk sizes.
#[track_caller]
fn split(stream: &[u8]) -> Vec<Expected> {
    let config = SplitterConfig::default();
    let whole = outcome(&config, stream.chunks(stream.len().max(1)));
    for size in [1, 1460, 65_536] {
        let chunked = outcome(&config, stream.chunks(size));
        assert!(chunked == whole, "in chunks of {size}");
    }
    whole
}

#[track_caller]
fn split_parts(stream: &[u8]) -> Vec<Expected> {
    let config = ParserConfig::default();
    let whole = parts(&config, stream.chunks(stream.len().max(1)));
    for size in [1, 1460, 65_536] {
        let chunked = parts(&config, stream.chunks(size));
        assert!(chunked == whole, "in chunks of {size}");
    }
    whole
}

fn lost(events: &[Expected], reason: DiscardReason) -> usize {
    let lengths = events.iter().map(|event| match event {
        Discarded(why, len) if *why == reason => *len,
        _ => 0,
    });
    lengths.sum()
}

#[test]
fn flood_is_told_and_all_frames_behind_it_come_out() {
    let header = [SOI, SOF, SOS].concat();
    let floods = [
        APP0_OF_64K.to_vec(),
        [SOI, SOF].concat(),
        [SOI, SOF, &[0xFF, 0xD9]].concat(),
        [&header[..], &[0xFF, 2]].concat(),
    ];
    for pattern in floods {
        let mut stream = pattern.repeat(1_000_000 / pattern.len());
        let flood = stream.len();
        if pattern == APP0_OF_64K {
            // One of these segments would end at a marker of a frame, and hold the frame before.
            stream.extend([0; 70_000]);
        }
        let frames: Vec<_> = (0..4).map(|n| jpeg::dense(n, 30_000)).collect();
        frames.iter().for_each(|frame| stream.extend(frame));
        let events = split(&stream);
        let passed = lost(&events, Flood);
        assert!(passed > flood / 2, "{passed} of {pattern:x?}");
        assert!(frames_in(&events).ends_with(&frames), "after {pattern:x?}");
    }
}

/// However many there are in so few bytes, each is a whole frame.
#[test]
fn frames_of_a_few_bytes_are_no_flood() {
    let frame = [SOI, SOF, SOS, &[1, 0xFF, 0xD9]].concat();
    let events = split(&frame.repeat(40_000));
    assert_eq!(events.len(), 40_000);
    assert!(frames_in(&events).iter().all(|found| *found == frame));
}

#[test]
fn markers_without_end_inside_one_frame_are_a_flood_too() {
    for (once, pattern) in [
        ([SOI, SOF].concat(), SOS),
        ([SOI, SOF].concat(), &[0xFF, 0xE0, 0, 2]),
        (SOI.to_vec(), &[0xFF, 0xE0, 0, 5, 0xFF, 0xD8, 0xFF]),
    ] {
        let mut stream = once;
        stream.extend(pattern.repeat(1_000_000 / pattern.len()));
        let frames: Vec<_> = (0..4).map(|n| jpeg::dense(n, 30_000)).collect();
        frames.iter().for_each(|frame| stream.extend(frame));
        let events = split(&stream);
        assert!(lost(&events, Flood) > 100_000, "{pattern:x?}");
        assert!(frames_in(&events).ends_with(&frames), "after {pattern:x?}");
    }
}

/// As many false beginnings as damage can plausibly hold: every frame after them comes out.
#[test]
fn five_thousand_false_beginnings_are_no_flood() {
    let mut stream = [SOI, SOF].concat().repeat(5_000);
    let frames: Vec<_> = (0..3).map(|n| jpeg::dense(n, 30_000)).collect();
    frames.iter().for_each(|frame| stream.extend(frame));
    let events = split(&stream);
    assert_eq!(lost(&events, Flood), 0);
    assert!(frames_in(&events) == frames);
}

#[test]
fn allowance_says_how_many_false_beginnings_are_borne() {
    // A beginning and its segment cost 190 bytes, and the previous one earns 15 of them.
    let beginnings = |count| [SOI, SOF].concat().repeat(count);
    let config = SplitterConfig::default().with_flood_allowance_bytes(17_600);
    let lost_of = |count| {
        lost(
            &outcome(&config, [&beginnings(count)[..]].into_iter()),
            Flood,
        )
    };
    assert_eq!(lost_of(100), 0);
    assert_ne!(lost_of(101), 0);
}

/// Grey pictures of 32 by 24 pixels with an encoder's ordinary tables, as a thermal camera may send
/// them, for more than an hour at 30 pictures per second.
#[test]
fn tiny_pictures_without_end_are_no_flood() {
    let tables: [&[u8]; 4] = [
        // Quantization, then the Huffman tables of T.81 K.3 for luminance by their lengths.
        &[&[0xFF, 0xDB, 0, 67, 0][..], &[16; 64]].concat(),
        SOF,
        &dht(0x00, &[0, 1, 5, 1, 1, 1, 1, 1, 1]),
        &dht(0x10, &[0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125]),
    ];
    let jfif = b"\xFF\xE0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0";
    // Twelve blocks of nine bytes or so.
    let scan = [SOS, &[0x5A; 110], &[0xFF, 0xD9]].concat();
    let picture = [&[SOI, jfif][..], &tables, &[&scan]].concat().concat();
    assert_eq!(picture.len(), 440);
    let mut splitter = mjpeg_codec::Splitter::new(SplitterConfig::default());
    let count = 120_000;
    let thousand = picture.repeat(1000);
    let mut frames = 0;
    for _ in 0..count / 1000 {
        splitter.push(thousand.clone());
        while let Some(event) = splitter.poll() {
            assert!(matches!(event, mjpeg_codec::Found::Frame(_)), "{event:?}");
            frames += 1;
        }
    }
    assert_eq!(frames, count);
}

fn dht(class: u8, counts: &[u8]) -> Vec<u8> {
    let values = counts.iter().map(|&n| usize::from(n)).sum();
    let mut counts = counts.to_vec();
    counts.resize(16, 0);
    let len = (19 + values) as u16;
    [
        &[0xFF, 0xC4][..],
        &len.to_be_bytes(),
        &[class],
        &counts,
        &vec![0x11; values],
    ]
    .concat()
}

#[test]
fn flood_ends_with_its_stream() {
    let mut stream = APP0_OF_64K.repeat(100_000);
    let config = SplitterConfig::default();
    stream.push(0);
    let events = outcome(&config, [&stream[..]].into_iter());
    assert!(matches!(events.last(), Some(Discarded(Flood, _))));
    let mut splitter = mjpeg_codec::Splitter::new(config);
    splitter.push(stream);
    while splitter.poll().is_some() {}
    splitter.finish();
    while splitter.poll().is_some() {}
    let frame = Made::gray(8, 8).frame(&[0b0100_0000]);
    splitter.push(frame.clone());
    let Some(mjpeg_codec::Found::Frame(found)) = splitter.poll() else {
        panic!("the next stream begins with a frame")
    };
    assert_eq!(*found.bytes(), frame);
    splitter.push(vec![0; 10]);
    splitter.finish();
    let rest = splitter.poll();
    assert!(matches!(rest, Some(mjpeg_codec::Found::Discarded { reason, .. }) if reason != Flood));
}

#[test]
fn flood_that_takes_long_is_none_if_the_owner_says_so() {
    let mut splitter = mjpeg_codec::Splitter::default();
    for _ in 0..50 {
        splitter.push([SOI, SOF].concat().repeat(4_000));
        while let Some(event) = splitter.poll() {
            let mjpeg_codec::Found::Discarded { reason, .. } = event else {
                panic!("a frame")
            };
            assert_ne!(reason, Flood);
        }
        splitter.refill();
    }
    assert!(splitter.cost() > 50 * 3_999 * 190);
}

#[test]
fn lines_without_end_are_a_flood_of_a_multipart_stream() {
    for line in [&b"\n"[..], b"--f\r\n", b"X-Timestamp: 5\r\n", b"word\n"] {
        let mut stream = [b"--f\r\n", &line.repeat(500_000 / line.len())[..]].concat();
        let frames: Vec<_> = (0..4).map(|n| jpeg::dense(n, 30_000)).collect();
        for frame in &frames {
            stream.extend(b"\r\n--f\r\nContent-Type: image/jpeg\r\n\r\n");
            stream.extend(frame);
        }
        let events = split_parts(&stream);
        assert!(lost(&events, Flood) > 100_000, "{line:?}");
        assert!(frames_in(&events).ends_with(&frames), "after {line:?}");
    }
}

/// Small pictures whose parts have far more header lines than any camera is known to send.
#[test]
fn parts_with_many_headers_are_no_flood() {
    let frame = jpeg::of_length(1, 1500);
    let mut part = b"--frame\r\nContent-Type: image/jpeg\r\n".to_vec();
    for n in 0..6 {
        part.extend(format!("X-Camera-{n}: {n}\r\n").bytes());
    }
    part.extend(b"\r\n");
    part.extend(&frame);
    part.extend(b"\r\n");
    let events = split_parts(&part.repeat(5_000));
    assert_eq!(frames_in(&events).len(), 5_000);
    assert_eq!(lost(&events, Flood), 0);
    assert!(lost(&events, Framing) > 0);
}

#[test]
fn broken_frames_of_an_honest_size_are_no_flood() {
    // Cut after its scan header, 300 bytes each, as from a camera whose link keeps failing.
    let mut broken = [SOI, SOF, SOS].concat();
    broken.resize(300, 0x55);
    let events = split(&broken.repeat(20_000));
    assert_eq!(lost(&events, Flood), 0);
    assert_eq!(lost(&events, Truncated), 20_000 * 300);
}
