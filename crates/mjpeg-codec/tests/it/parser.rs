//! Multipart streams that are damaged or hold several images in a part.

use std::time::Duration;

use bytes::Bytes;
use mjpeg_codec::{
    DiscardReason::*,
    Found, MissingEoi, SplitterConfig,
    multipart::{Parser, ParserConfig},
};
use mjpeg_testkit::jpeg;

use crate::check::{
    Discarded, Expected, Frame, Part, Told, check_parts, check_parts_with, frames_in, outcome,
    parts,
};

#[test]
fn truncated_frame_ends_before_the_next_delimiter() {
    let (cut, next) = (cut_in_scan(1), jpeg::numbered(2));
    let stream = [&head(1)[..], &cut, b"\r\n", &head(2), &next[..], b"\r\n"].concat();
    let end = Discarded(Framing, 2);
    let expected = [
        Discarded(Framing, head(1).len()),
        Discarded(Truncated, cut.len()),
        Discarded(Framing, 2 + head(2).len()),
        Part(next.clone(), told(2)),
        end.clone(),
    ];
    check_parts(&stream, &expected);
    let accepted = [
        Discarded(Framing, head(1).len()),
        Part(cut, told(1)),
        Discarded(Framing, 2 + head(2).len()),
        Part(next, told(2)),
        end,
    ];
    check_parts_with(accept(), &stream, &accepted);
}

#[test]
fn truncated_frame_ends_before_the_first_of_several_delimiters() {
    let (cut, next) = (cut_in_scan(1), jpeg::numbered(2));
    // Known, not yet known, and other than the known one. Only the known one may lack the line
    // break before it.
    for (start, line_break) in [
        ("--frame\r\n", "\r\n"),
        ("--frame\r\n", ""),
        ("", "\r\n"),
        ("--other\r\n", "\r\n"),
    ] {
        let start = [start, "X-Timestamp: 1.0\r\n\r\n"].concat();
        let between = [line_break, "--frame\r\n--other\r\n--frame\r\n\r\n"].concat();
        let text = b"text\r\n";
        let stream = [
            start.as_bytes(),
            &cut,
            between.as_bytes(),
            text,
            &head(2),
            &next,
        ]
        .concat();
        let expected = [
            Discarded(Framing, start.len()),
            Discarded(Truncated, cut.len()),
            Discarded(Framing, between.len()),
            Discarded(NotJpeg, text.len()),
            Discarded(Framing, head(2).len()),
            Part(next.clone(), told(2)),
        ];
        check_parts(&stream, &expected);
    }
}

#[test]
fn frames_without_eoi_come_out_exactly_where_they_are_accepted() {
    let frames = [1, 2].map(|n| without_eoi(&jpeg::numbered(n)));
    for (line_break, end) in [
        ("\r\n", "\r\n--frame\r\n"),
        ("\n", "\n--frame\n"),
        ("", "--frame--"),
        ("\r\n", ""),
    ] {
        let stream = [
            &head(1)[..],
            &frames[0],
            line_break.as_bytes(),
            &head(2),
            &frames[1],
            end.as_bytes(),
        ]
        .concat();
        let mut expected = vec![
            Discarded(Framing, head(1).len()),
            Part(frames[0].clone(), told(1)),
            Discarded(Framing, line_break.len() + head(2).len()),
            Part(frames[1].clone(), told(2)),
        ];
        if !end.is_empty() {
            expected.push(Discarded(Framing, end.len()));
        }
        check_parts_with(accept(), &stream, &expected);
    }
}

#[test]
fn delimiter_that_was_not_known_before_ends_a_frame_without_eoi() {
    let frames = [1, 2].map(|n| without_eoi(&jpeg::numbered(n)));
    // The first boundary is missing, as in old ESP32 sketches, or is another one.
    for first in ["", "--other\r\n"] {
        let headers = "Content-Type: image/jpeg\r\n\r\n";
        let start = [first, headers].concat();
        let between = ["\r\n--frame\r\n", headers].concat();
        let stream = [
            start.as_bytes(),
            &frames[0],
            between.as_bytes(),
            &frames[1],
            b"\r\n--frame\r\n",
        ]
        .concat();
        let jpeg = Told {
            content_type: Some("image/jpeg".into()),
            ..Told::default()
        };
        let expected = [
            Discarded(Framing, start.len()),
            Part(frames[0].clone(), jpeg.clone()),
            Discarded(Framing, between.len()),
            Part(frames[1].clone(), jpeg),
            Discarded(Framing, 11),
        ];
        check_parts_with(accept(), &stream, &expected);
    }
}

#[test]
fn text_like_a_delimiter_in_a_comment_does_not_cut_the_frame() {
    let comment = b"\r\n--frame\r\nContent-Length: 5\r\n\r\n\r\n--frame--\r\n";
    let frame = jpeg::with_segment(&jpeg::numbered(1), 0xFE, comment);
    let stream = [&head(1)[..], &frame[..], b"\r\n"].concat();
    let expected = [
        Discarded(Framing, head(1).len()),
        Part(frame.clone(), told(1)),
        Discarded(Framing, 2),
    ];
    check_parts(&stream, &expected);
    // Nor does it end one that has no EOI.
    let cut = without_eoi(&frame);
    let stream = [&head(1)[..], &cut[..], b"\r\n", &head(2)].concat();
    let expected = [
        Discarded(Framing, head(1).len()),
        Part(cut, told(1)),
        Discarded(Framing, 2 + head(2).len()),
    ];
    check_parts_with(accept(), &stream, &expected);
}

#[test]
fn illegal_marker_costs_its_own_part() {
    let (image, next) = (jpeg::of_length(1, 20_000).to_vec(), jpeg::numbered(2));
    let mut hurt = image.clone();
    let stuffed = (image.len() / 2..image.len() - 2)
        .find(|&i| image[i..i + 2] == [0xFF, 0x00])
        .expect("a stuffed byte");
    hurt[stuffed + 1] = 0x02;
    let stream = [&head(1)[..], &hurt[..], b"\r\n", &head(2), &next].concat();
    let expected = [
        Discarded(Framing, head(1).len()),
        // The line break belongs to a line of the broken frame.
        Discarded(Malformed, hurt.len() + 2),
        Discarded(Framing, head(2).len()),
        Part(next, told(2)),
    ];
    check_parts(&stream, &expected);
}

#[test]
fn next_part_is_read_wherever_a_frame_breaks_off() {
    let (image, next) = (jpeg::with_restarts(1, 4), jpeg::numbered(2));
    let (mut ambiguous, mut without_headers) = (0, 0);
    for cut in 0..image.len() {
        let stream = [&head(1)[..], &image[..cut], b"\r\n", &head(2), &next].concat();
        let outcome = parts(&ParserConfig::default(), [&stream[..]].into_iter());
        let (Some(Part(frame, told)), 1) = (outcome.last(), frames_in(&outcome).len()) else {
            panic!("cut at {cut}: {outcome:?}")
        };
        if *frame != next {
            assert!(frame.starts_with(&image[..cut]) && frame.ends_with(&next[next.len() / 2..]));
            ambiguous += 1;
        } else if *told == Told::default() {
            without_headers += 1;
        } else {
            assert_eq!(*told, self::told(2), "cut at {cut}");
        }
    }
    // The length of a cut segment may end by chance at a marker of the next image, so that both
    // look like one.
    assert!(ambiguous <= 4, "{ambiguous}");
    // Or at its SOI. Then the segment may have held its headers.
    assert!(without_headers <= 5, "{without_headers}");
}

#[test]
fn next_part_is_read_whichever_byte_is_wrong() {
    let (image, next) = (jpeg::numbered(1), jpeg::numbered(2));
    for at in 0..image.len() {
        for value in [0x00, b'\n', 0xFF, image[at] ^ 1, image[at] ^ 0x80] {
            let mut hurt = image.to_vec();
            hurt[at] = value;
            let stream = [&head(1)[..], &hurt[..], b"\r\n", &head(2), &next].concat();
            let outcome = parts(&ParserConfig::default(), [&stream[..]].into_iter());
            let last = outcome.last();
            assert_eq!(last, Some(&Part(next.clone(), told(2))), "{value} at {at}");
        }
    }
}

#[test]
fn rest_of_a_broken_frame_is_one_range_whatever_lines_it_holds() {
    let (plain, next) = (jpeg::numbered(1), jpeg::numbered(2));
    let broken = [
        &without_eoi(&plain)[..],
        &[0xFF, 0x02, 0x11],
        b"\n\n\r\n\nX: y\n\x01Content-Length: 3\n\n-\n--\n",
    ]
    .concat();
    let stream = [&head(1)[..], &broken[..], &head(2), &next].concat();
    let expected = [
        Discarded(Framing, head(1).len()),
        Discarded(Malformed, broken.len()),
        Discarded(Framing, head(2).len()),
        Part(next, told(2)),
    ];
    check_parts(&stream, &expected);
}

#[test]
fn padding_that_runs_into_the_delimiter_does_not_cost_the_headers() {
    let (a, b) = (jpeg::numbered(1), jpeg::numbered(2));
    let stream = [&head(1)[..], &a[..], &[0; 6], &head(2), &b].concat();
    let delimiter = "--frame\r\n".len();
    let expected = [
        Discarded(Framing, head(1).len()),
        Part(a, told(1)),
        Discarded(Garbage, 6 + delimiter),
        Discarded(Framing, head(2).len() - delimiter),
        Part(b, told(2)),
    ];
    check_parts(&stream, &expected);
}

#[test]
fn body_that_is_no_jpeg_goes_on_to_its_own_delimiter() {
    let (a, b) = (jpeg::numbered(1), jpeg::numbered(2));
    let body = b"\x89PNG\r\n\x1A\n\0\0\n--other\n\n--fram\n\xFF\xD8\xFF\0\n";
    let stream = [&head(1)[..], &a[..], b"\r\n", &head(2), body, &head(3), &b].concat();
    let expected = [
        Discarded(Framing, head(1).len()),
        Part(a, told(1)),
        Discarded(Framing, 2 + head(2).len()),
        Discarded(NotJpeg, body.len()),
        Discarded(Framing, head(3).len()),
        Part(b, told(3)),
    ];
    check_parts(&stream, &expected);
}

#[test]
fn closing_delimiter_and_blanks_at_its_end_are_no_part_of_it() {
    let image = jpeg::numbered(1);
    for first in [
        "--frame--\r\n\r\n",
        "--frame \r\n\r\n",
        "--frame--  \r\n\r\n",
    ] {
        let stream = [first.as_bytes(), b"text\r\n", &head(1), &image].concat();
        let expected = [
            Discarded(Framing, first.len()),
            Discarded(NotJpeg, 6),
            Discarded(Framing, head(1).len()),
            Part(image.clone(), told(1)),
        ];
        check_parts(&stream, &expected);
    }
}

#[test]
fn binary_line_among_the_headers_ends_them() {
    let image = jpeg::numbered(1);
    let headers = b"--frame\r\nX-Timestamp: 1.0\r\n";
    let stream = [&headers[..], b"\x01\x02\r\n\r\n", &image].concat();
    let expected = [
        Discarded(Framing, headers.len()),
        Discarded(Garbage, 6),
        Part(image, Told::default()),
    ];
    check_parts(&stream, &expected);
}

#[test]
fn body_before_an_image_is_no_part_of_it() {
    let image = jpeg::numbered(1);
    let padded = [&head(1)[..], &[0; 4], &image[..]].concat();
    let expected = [
        Discarded(Framing, head(1).len()),
        Discarded(Garbage, 4),
        Part(image.clone(), told(1)),
    ];
    check_parts(&padded, &expected);
    let text = [&head(1)[..], b"text\nmore", &image[..]].concat();
    let expected = [
        Discarded(Framing, head(1).len()),
        Discarded(NotJpeg, 9),
        Part(image, told(1)),
    ];
    check_parts(&text, &expected);
}

#[test]
fn stream_without_framing_is_read_as_by_a_splitter() {
    let (a, b) = (jpeg::numbered(1), jpeg::numbered(2));
    let stream = [b"junk", &a[..], &b, b"\0\0"].concat();
    let expected = [
        Discarded(Garbage, 4),
        Part(a, Told::default()),
        Part(b, Told::default()),
        Discarded(Garbage, 2),
    ];
    check_parts(&stream, &expected);
    let split = outcome(&SplitterConfig::default(), [&stream[..]].into_iter());
    let frame = |e: &Expected| matches!(e, Frame(_));
    assert_eq!(split.iter().filter(|e| frame(e)).count(), 2);
}

#[test]
fn frame_comes_out_of_the_push_that_holds_its_last_byte() {
    let image = jpeg::numbered(1);
    let (last, rest) = image.split_last().unwrap();
    let mut parser = Parser::default();
    parser.push([&head(1)[..], rest].concat());
    assert!(matches!(
        parser.poll(),
        None | Some(Found::Discarded { .. })
    ));
    assert_eq!(parser.poll(), None);
    parser.push(vec![*last]);
    let events: Vec<_> = std::iter::from_fn(|| parser.poll()).collect();
    assert!(matches!(events.last(), Some(Found::Frame(f)) if *f.bytes() == image));
}

#[test]
fn nothing_of_a_stream_is_left_for_the_one_after_it() {
    let image = jpeg::numbered(1);
    let mut parser = Parser::default();
    // Ends in the body of a part, and in the middle of a line.
    parser.push([&head(1)[..], b"text"].concat());
    parser.finish();
    while parser.poll().is_some() {}
    assert_eq!(Told::from(parser.headers()), Told::default());
    parser.push([b"--other\r\n\r\n", &image[..]].concat());
    let events: Vec<_> = std::iter::from_fn(|| parser.poll()).collect();
    let at = (head(1).len() + 4) as u64;
    let framing = Found::Discarded {
        reason: Framing,
        range: at..at + 11,
    };
    assert_eq!(events.first(), Some(&framing));
    assert!(matches!(&events[1..], [Found::Frame(f)] if *f.bytes() == image));
    assert_eq!(Told::from(parser.headers()), Told::default());
}

/// A delimiter and headers with a timestamp of `n` seconds.
fn head(n: u64) -> Vec<u8> {
    format!("--frame\r\nX-Timestamp: {n}.0\r\n\r\n").into_bytes()
}

fn told(n: u64) -> Told {
    Told {
        timestamp: Some(Duration::from_secs(n)),
        ..Told::default()
    }
}

fn accept() -> ParserConfig {
    ParserConfig::default()
        .with_splitter(SplitterConfig::default().with_missing_eoi(MissingEoi::Accept))
}

fn cut_in_scan(number: u32) -> Bytes {
    let image = jpeg::of_length(number, 3000);
    image.slice(..image.len() - 500)
}

fn without_eoi(image: &Bytes) -> Bytes {
    image.slice(..image.len() - 2)
}

#[test]
fn headers_are_read_by_name() {
    let image = jpeg::numbered(1);
    let mut parser = Parser::default();
    let head = b"--frame\r\ncontent-type: image/jpeg\r\nX-Framerate :  25 \r\nno header\r\n\
                 X-Mark: first\r\nX-Bytes: \xFF\r\nX-Empty:\r\nx-mark: a:b\r\n\r\n";
    parser.push([&head[..], &image, b"\r\n--frame\r\n\r\n", &image].concat());
    let mut parts = Vec::new();
    while let Some(found) = parser.poll() {
        if let Found::Frame(_) = found {
            parts.push(parser.headers());
        }
    }
    let [first, second] = &parts[..] else {
        panic!("{parts:?}")
    };
    assert_eq!(first.get("Content-Type"), Some("image/jpeg"));
    assert_eq!(first.get("x-framerate"), Some("25"));
    assert_eq!(first.get("X-Mark"), Some("a:b"), "the last one counts");
    assert_eq!(first.get("X-Empty"), Some(""));
    assert_eq!(first.get("X-Bytes"), None, "not UTF-8");
    assert_eq!(first.get("X"), None);
    let all: Vec<_> = first.iter().collect();
    let expected = [
        ("content-type", "image/jpeg"),
        ("X-Framerate", "25"),
        ("X-Mark", "first"),
        ("X-Empty", ""),
        ("x-mark", "a:b"),
    ];
    assert_eq!(all, expected);
    assert_eq!(second.iter().count(), 0, "of its own part only");
}
