//! Properties that hold for all streams.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use mjpeg_codec::{
    DiscardReason, MissingEoi, SplitterConfig,
    multipart::{Boundary, Layout, ParserConfig, PartHeaders, render},
};
use mjpeg_testkit::{Faults, jpeg};
use proptest::{collection::vec, prelude::*};

use crate::check::{Discarded, Expected, Frame, Part, Told, frames_in, outcome, parts};

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn intact_frames_survive_seeded_faults(seed: u64, numbers in vec(0u32..40, 1..12)) {
        let frames: Vec<Bytes> = numbers.iter().map(|&n| jpeg::numbered(n)).collect();
        let mut faults = Faults::new(seed);
        let damaged = faults.damage(&frames);
        let chunks = faults.chunks(&damaged.stream);
        let got = frames_in(&outcome(&SplitterConfig::default(), chunks.iter().map(|c| &c[..])));
        let intact: Vec<Bytes> = damaged.intact.iter().map(|&i| frames[i].clone()).collect();
        prop_assert_eq!(got, intact);
    }

    #[test]
    fn well_formed_streams_split_as_a_naive_walk_splits_them(
        frames in vec(whole_frame(), 0..12),
        gaps in vec(vec(0u8..0xFF, 0..40), 12),
        size in 1usize..5000,
    ) {
        let stream: Vec<u8> = frames.iter().zip(&gaps).flat_map(|(f, gap)| [&gap[..], &f[..]].concat()).collect();
        let split = outcome(&SplitterConfig::default(), stream.chunks(size));
        prop_assert_eq!(frames_in(&split), naive_frames(&stream));
        prop_assert_eq!(frames_in(&split), frames);
        prop_assert!(split.iter().all(|e| matches!(e, Frame(_) | Discarded(DiscardReason::Garbage, _))));
    }

    #[test]
    fn chunking_changes_nothing(pieces in vec(piece(), 0..40), size in 1usize..50, flooded: bool) {
        let stream = pieces.concat();
        let allowance = if flooded { 0 } else { 1 << 20 };
        let config = SplitterConfig::default().with_max_frame_bytes(4096).with_flood_allowance_bytes(allowance);
        let whole = outcome(&config, stream.chunks(stream.len().max(1)));
        prop_assert_eq!(&whole, &outcome(&config, stream.chunks(size)));
        prop_assert_eq!(covered(&whole), stream.len());
    }

    #[test]
    fn chunking_changes_nothing_however_low_the_limit(
        pieces in vec(piece(), 0..20),
        size in 1usize..50,
        limit in 0usize..100,
    ) {
        let stream = pieces.concat();
        let config = SplitterConfig::default().with_max_frame_bytes(limit);
        let whole = outcome(&config, stream.chunks(stream.len().max(1)));
        prop_assert_eq!(&whole, &outcome(&config, stream.chunks(size)));
        prop_assert_eq!(covered(&whole), stream.len());
        prop_assert!(frames_in(&whole).iter().all(|frame| frame.len() <= limit));
    }

    #[test]
    fn chunking_changes_nothing_in_a_multipart_stream(
        pieces in vec(part_piece(), 0..30),
        size in 1usize..50,
        accept: bool,
        flooded: bool,
    ) {
        let stream = pieces.concat();
        let missing_eoi = if accept { MissingEoi::Accept } else { MissingEoi::Discard };
        let allowance = if flooded { 0 } else { 1 << 20 };
        let frames = SplitterConfig::default()
            .with_max_frame_bytes(4096)
            .with_missing_eoi(missing_eoi)
            .with_flood_allowance_bytes(allowance);
        let config = ParserConfig::default().with_splitter(frames).with_max_header_bytes(256);
        let whole = parts(&config, stream.chunks(stream.len().max(1)));
        prop_assert_eq!(&whole, &parts(&config, stream.chunks(size)));
        prop_assert_eq!(covered(&whole), stream.len());
    }

    #[test]
    fn parser_finds_the_frames_that_a_splitter_finds_unless_parts_have_more(
        pieces in vec(part_piece(), 0..30),
    ) {
        let stream = pieces.concat();
        let frames = SplitterConfig::default().with_max_frame_bytes(4096);
        let config = ParserConfig::default().with_splitter(frames.clone()).with_max_header_bytes(256);
        let parsed = parts(&config, [&stream[..]].into_iter());
        let split = outcome(&frames, [&stream[..]].into_iter());
        let is_extra = |e: &Expected| matches!(e, Discarded(DiscardReason::ExtraImage, _));
        // Such parts are passed over, too.
        let is_passed = |text: &[u8]| stream.windows(text.len()).any(|bytes| bytes == text);
        if parsed.iter().any(is_extra) || is_passed(b"audio") || is_passed(b"plain") {
            for frame in frames_in(&parsed) {
                prop_assert!(mjpeg_codec::Frame::parse(frame).is_ok());
            }
            return Ok(());
        }
        prop_assert_eq!(frames_in(&parsed), frames_in(&split));
        // The parser's framing and bodies without an image are garbage or the rest of a frame to
        // the splitter.
        let broken = |outcome: &[Expected]| {
            outcome.iter().filter(|e| matches!(e, Discarded(reason, _) if reason.is_frame())).count()
        };
        // Two that begin close together count as one unless framing lies between them.
        prop_assert!(broken(&parsed) >= broken(&split));
    }

    #[test]
    fn rendered_parts_come_back(
        boundary in "[A-Za-z0-9_.][A-Za-z0-9_.-]{0,69}",
        sent in vec((0u32..20, proptest::option::of((0u64..1 << 33, 0u32..1_000_000))), 0..5),
        size in 1usize..5000,
        advance: bool,
    ) {
        let layout = if advance { Layout::Advance } else { Layout::Trailing };
        let boundary = Boundary::new(&boundary).unwrap();
        let mut stream = boundary.opening(layout).to_vec();
        let mut expected = Vec::new();
        for (number, time) in sent {
            let image = jpeg::numbered(number);
            let captured = time.map(|(seconds, micros)| Duration::new(seconds, micros * 1000));
            let headers = captured.map_or(PartHeaders::default(), |since| {
                PartHeaders::default().with_timestamp(SystemTime::UNIX_EPOCH + since)
            });
            stream.extend_from_slice(&render(&boundary, &headers, &image).bytes(layout));
            let told = Told {
                content_type: Some("image/jpeg".into()),
                content_length: (!advance).then_some(image.len() as u64),
                timestamp: captured.filter(|_| !advance),
            };
            expected.push(Part(image, told));
        }
        let outcome = parts(&ParserConfig::default(), stream.chunks(size));
        let is_framing = |e: &Expected| matches!(e, Discarded(DiscardReason::Framing, _));
        let (framing, came): (Vec<_>, Vec<_>) = outcome.into_iter().partition(is_framing);
        prop_assert_eq!(framing.len(), expected.len() + 1);
        prop_assert_eq!(came, expected);
    }
}

fn covered(outcome: &[Expected]) -> usize {
    let len = |e: &Expected| match e {
        Frame(bytes) | Part(bytes, _) => bytes.len(),
        Discarded(_, len) => *len,
    };
    outcome.iter().map(len).sum()
}

/// Whole frames of many kinds.
fn whole_frame() -> impl Strategy<Value = Bytes> {
    let kind = |make: fn(u32) -> Bytes| (0u32..20).prop_map(make);
    let payload = vec(
        prop_oneof![Just(0xFF), Just(0xD8), Just(0xD9), Just(0xDA), any::<u8>()],
        0..60,
    );
    let segment = (0u32..20, prop_oneof![0xE0u8..=0xEF, Just(0xFE)], payload)
        .prop_map(|(n, code, payload)| jpeg::with_segment(&jpeg::numbered(n), code, &payload));
    let filled = (0u32..20, 1usize..6).prop_map(|(n, fill)| {
        let frame = jpeg::with_restarts(n, 2);
        let sos = frame
            .windows(2)
            .position(|w| w == [0xFF, 0xDA])
            .expect("a scan");
        let (head, tail) = frame.split_at(sos);
        Bytes::from([head, &vec![0xFF; fill], tail].concat())
    });
    prop_oneof![
        kind(jpeg::numbered),
        kind(jpeg::progressive),
        kind(|n| jpeg::with_restarts(n, 3)),
        kind(|n| jpeg::without_dht(&jpeg::numbered(n))),
        kind(|n| jpeg::with_thumbnail(&jpeg::numbered(n), &jpeg::sized(n, 16, 16))),
        segment,
        filled,
    ]
}

/// Splits a well-formed stream, marker by marker. No `FF` may stand between its frames.
fn naive_frames(stream: &[u8]) -> Vec<Bytes> {
    let mut frames = Vec::new();
    let mut at = 0;
    while at < stream.len() {
        if stream[at] != 0xFF {
            at += 1;
            continue;
        }
        let start = at;
        at += 2;
        loop {
            // In front of a marker, or in a scan.
            let code = stream[at + 1];
            at += match code {
                _ if stream[at] != 0xFF => 1,
                0xFF => 1,
                0x00 | 0xD0..=0xD7 | 0xD9 => 2,
                _ => 2 + usize::from(u16::from_be_bytes([stream[at + 2], stream[at + 3]])),
            };
            if stream[at - 2..at] == [0xFF, 0xD9] && code == 0xD9 {
                break;
            }
        }
        frames.push(Bytes::copy_from_slice(&stream[start..at]));
    }
    frames
}

fn part_piece() -> impl Strategy<Value = Vec<u8>> {
    let texts: [&[u8]; 22] = [
        b"--frame\r\n",
        b"--frame\n",
        b"--frame",
        b"--frame--",
        b"--other\r\n",
        b"--",
        b"\r\n",
        b"\n",
        b"\r",
        b"\r\n\r\n",
        b"Content-Type: image/jpeg\r\n",
        b"Content-Type: audio/basic\r\n",
        b"Content-Type: text/plain\r\n",
        b"Content-Length: 1234\r\n",
        b"Content-Length: many\r\n",
        b"X-Timestamp: 12.25\r\n",
        b"X-Timestamp: 3",
        b"X-Other: ",
        b"text",
        b": ",
        b"\0",
        b"\xFF",
    ];
    let text = proptest::sample::select(texts.to_vec()).prop_map(<[u8]>::to_vec);
    let long = (250usize..260, 0usize..3)
        .prop_map(|(len, end)| [vec![b'x'; len], b"\r\n"[..end.min(2)].to_vec()].concat());
    let head = Just(b"\r\n--frame\r\nX-Timestamp: 5.5\r\n\r\n".to_vec());
    prop_oneof![5 => text, 3 => head, 1 => long, 5 => piece()]
}

/// Pieces that form a stream often enough to reach every state.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let frame = (0u32..20).prop_map(|n| jpeg::numbered(n).to_vec());
    let cut = (0u32..20, 0.0..1.0f64).prop_map(|(n, at)| {
        let frame = jpeg::numbered(n);
        frame[..(frame.len() as f64 * at) as usize].to_vec()
    });
    let marker = (0u8..=255).prop_map(|code| vec![0xFF, code]);
    let soi = Just(vec![0xFF, 0xD8, 0xFF]);
    let segment = (0xC0u8..=0xFF, 0u16..300).prop_map(|(code, len)| {
        [
            &[0xFF, code][..],
            &len.to_be_bytes(),
            &[0x11].repeat(usize::from(len) / 2),
        ]
        .concat()
    });
    prop_oneof![3 => frame, 2 => cut, 2 => marker, 1 => soi, 2 => segment, 1 => vec(any::<u8>(), 0..40)]
}

#[test]
fn reasons_have_distinct_names() {
    let names: std::collections::BTreeSet<_> =
        DiscardReason::ALL.iter().map(|r| r.as_str()).collect();
    assert_eq!(names.len(), DiscardReason::ALL.len());
}
