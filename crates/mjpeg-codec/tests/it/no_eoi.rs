//! Frames without EOI: what ends them, and which of them are whole.

use std::{fs, path::Path};

use bytes::Bytes;
use mjpeg_codec::{
    DiscardReason::*,
    Found, Frame, MissingEoi, Splitter, SplitterConfig,
    multipart::{Parser, ParserConfig},
    repair::Repairs,
    verify::{Flaw, Verdict},
};
use mjpeg_testkit::jpeg;

use crate::check::{Discarded, Part, Told, check_parts_with, check_with};

fn accept() -> SplitterConfig {
    SplitterConfig::default().with_missing_eoi(MissingEoi::Accept)
}

fn accept_parts() -> ParserConfig {
    ParserConfig::default().with_splitter(accept())
}

fn without_eoi(number: u32) -> Bytes {
    let image = jpeg::numbered(number);
    image.slice(..image.len() - 2)
}

fn frames_of(mut poll: impl FnMut() -> Option<Found>) -> Vec<Frame> {
    let frame = |found| match found {
        Found::Frame(frame) => Some(frame),
        _ => None,
    };
    std::iter::from_fn(&mut poll).filter_map(frame).collect()
}

#[test]
fn pictures_of_a_camera_that_omits_eoi_come_out_and_are_repaired() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/no_eoi.mjpeg");
    let stream = fs::read(data).unwrap();
    for chunk in [1, 1460, stream.len()] {
        let mut splitter = Splitter::new(accept());
        let mut frames = Vec::new();
        for chunk in stream.chunks(chunk) {
            splitter.push(chunk.to_vec());
            frames.extend(frames_of(|| splitter.poll()));
        }
        splitter.finish();
        frames.extend(frames_of(|| splitter.poll()));
        assert_eq!(frames.len(), 20, "in chunks of {chunk}");
        for frame in frames {
            assert!(frame.displayable() && !frame.has_eoi());
            let complete = Verdict::Complete { surplus_bytes: 0 };
            assert_eq!(frame.verify(), complete);
            let (repaired, made) = frame.repaired(Repairs::RECOMMENDED);
            assert_eq!(made, Repairs::NONE.with_eoi(true));
            assert!(repaired.has_eoi() && repaired.bytes().ends_with(&[0xFF, 0xD9]));
            assert_eq!(repaired.verify(), complete);
            assert!(Frame::parse(repaired.into_bytes()).unwrap().has_eoi());
        }
    }
}

#[test]
fn stream_that_is_cut_off_does_not_end_a_frame() {
    let (a, b) = (without_eoi(1), without_eoi(2));
    let stream = [&a[..], &b].concat();
    let mut splitter = Splitter::new(accept());
    splitter.push(stream.clone());
    splitter.cut_off();
    let found: Vec<_> = std::iter::from_fn(|| splitter.poll()).collect();
    let [Found::Frame(frame), Found::Discarded { reason, range }] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!((frame.bytes(), *reason), (&a, Truncated));
    assert_eq!(*range, a.len() as u64..stream.len() as u64);
    // The next stream is none of this one's business.
    splitter.push(b.clone());
    splitter.finish();
    let frames = frames_of(|| splitter.poll());
    assert!(matches!(&frames[..], [frame] if *frame.bytes() == b));
}

#[test]
fn frame_comes_out_of_the_push_that_holds_the_delimiter_behind_it() {
    let image = without_eoi(1);
    for line in [
        "\r\n--frame\r\n",
        "\n--frame\n",
        "\r\n--frame--\r\n",
        "\r\n--frame \r\n",
    ] {
        let mut parser = Parser::new(accept_parts());
        parser.push([b"--frame\r\nContent-Type: image/jpeg\r\n\r\n", &image[..]].concat());
        let (rest, last) = line.as_bytes().split_at(line.len() - 1);
        parser.push(rest.to_vec());
        assert!(frames_of(|| parser.poll()).is_empty(), "before {line:?}");
        parser.push(last.to_vec());
        let frames = frames_of(|| parser.poll());
        assert!(
            matches!(&frames[..], [frame] if *frame.bytes() == image),
            "{line:?}"
        );
    }
}

/// Without the option, the frame is lost as before, with its reason.
#[test]
fn delimiter_ends_a_truncated_frame_where_none_are_accepted() {
    let (image, next) = (without_eoi(1), jpeg::numbered(2));
    let head = b"--frame\r\n\r\n";
    let stream = [&head[..], &image, b"\r\n", head, &next].concat();
    let expected = [
        Discarded(Framing, head.len()),
        Discarded(Truncated, image.len()),
        Discarded(Framing, 2 + head.len()),
        Part(next, Told::default()),
    ];
    check_parts_with(ParserConfig::default(), &stream, &expected);
}

/// Sound behind the delimiter holds markers, none of which is the frame's.
#[test]
fn delimiter_counts_more_than_markers_behind_it() {
    let image = without_eoi(1);
    let head = b"--frame\r\n\r\n";
    let sound = b"\r\n--frame\r\nContent-Type: audio/basic\r\n\r\n";
    let body = b"\xFF\x7F\xFF\xD9\x01\xFF\xD8\xFF\xE0\r\n";
    let stream = [&head[..], &image, sound, body, head].concat();
    let expected = [
        Discarded(Framing, head.len()),
        Part(image, Told::default()),
        Discarded(Framing, sound.len()),
        Discarded(NotJpeg, body.len()),
        Discarded(Framing, head.len()),
    ];
    check_parts_with(accept_parts(), &stream, &expected);
}

#[test]
fn scan_that_only_resembles_a_delimiter_is_not_cut() {
    let plain = jpeg::numbered(1);
    let (scan, eoi) = plain.split_at(plain.len() - 2);
    let head = b"--frame\r\n\r\n";
    for text in [
        "--frame",
        "\n--frame",
        "\n--frame\0\n",
        "\n--framed\r\n",
        "\n--other\r\n",
    ] {
        let image = Bytes::from([scan, text.as_bytes(), eoi].concat());
        let stream = [&head[..], &image].concat();
        let expected = [Discarded(Framing, head.len()), Part(image, Told::default())];
        check_parts_with(accept_parts(), &stream, &expected);
    }
}

#[test]
fn frame_that_was_cut_off_shows_it_when_verified() {
    let image = jpeg::dense(1, 20_000);
    let next = jpeg::numbered(2);
    for cut in [image.len() / 2, image.len() - 200] {
        let cut = image.slice(..cut);
        let stream = [&cut[..], &next].concat();
        let expected = [
            crate::check::Frame(cut.clone()),
            crate::check::Frame(next.clone()),
        ];
        check_with(accept(), &stream, &expected);
        let mut splitter = Splitter::new(accept());
        splitter.push(stream);
        let frames = frames_of(|| splitter.poll());
        match frames[0].verify() {
            Verdict::Damaged(damage) => assert_eq!(damage.flaw, Flaw::Truncated),
            other => panic!("{other:?}"),
        }
    }
}

/// A frame made to slow down the search for its end costs no more than others.
#[test]
fn frame_of_half_delimiters_ends_where_the_next_one_begins() {
    let next = jpeg::numbered(2);
    let head = [
        &[0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0][..],
        &[0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0],
    ]
    .concat();
    let long = [&head[..], &b"\n--\x01".repeat(100_000)].concat();
    let framing = b"--frame\r\n\r\n";
    let stream = [framing, &long[..], b"\r\n--other\r\n\r\n", &next].concat();
    let mut parser = Parser::default();
    parser.push(stream);
    let found: Vec<_> = std::iter::from_fn(|| parser.poll()).collect();
    let ranges: Vec<_> = found
        .iter()
        .filter_map(|found| match found {
            Found::Discarded {
                reason: Truncated,
                range,
            } => Some(range.clone()),
            _ => None,
        })
        .collect();
    let start = framing.len() as u64;
    assert_eq!(ranges.len(), 1);
    assert_eq!(ranges[0], start..start + long.len() as u64);
    assert!(matches!(found.last(), Some(Found::Frame(frame)) if *frame.bytes() == next));
}
