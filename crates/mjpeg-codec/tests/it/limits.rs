//! Each limit at n and at n + 1.

use std::time::Duration;

use mjpeg_codec::{
    DiscardReason::{self, *},
    Found, SplitterConfig,
    multipart::{Parser, ParserConfig},
};
use mjpeg_testkit::jpeg;

use crate::check::{
    Discarded, Frame, Part, Told, check, check_parts, check_parts_with, check_with, outcome,
};

#[test]
fn frame_of_exactly_the_limit_passes() {
    let frame = jpeg::of_length(1, 3000);
    let config = SplitterConfig::default().with_max_frame_bytes(frame.len());
    check_with(config, &frame.clone(), &[Frame(frame)]);
}

#[test]
fn frame_one_byte_over_the_limit_costs_that_frame() {
    let (large, small) = (jpeg::of_length(1, 3000), jpeg::numbered(2));
    let limit = large.len() - 1;
    let stream = [&large[..], &small].concat();
    let expected = [Discarded(TooLarge, large.len()), Frame(small)];
    check_with(
        SplitterConfig::default().with_max_frame_bytes(limit),
        &stream,
        &expected,
    );
}

#[test]
fn segment_that_reaches_over_the_limit_costs_that_frame() {
    let (plain, next) = (jpeg::numbered(1), jpeg::numbered(2));
    let large = jpeg::with_segment(&plain, 0xE3, &[0; 5000]);
    let stream = [&large[..], &next].concat();
    let expected = [Discarded(TooLarge, large.len()), Frame(next)];
    check_with(
        SplitterConfig::default().with_max_frame_bytes(4000),
        &stream,
        &expected,
    );
}

#[test]
fn segment_that_ends_at_the_limit_is_read_and_one_byte_more_is_not() {
    let stream = [
        &[0xFF, 0xD8, 0xFF, 0xE3, 0, 102][..],
        &[7; 100],
        &[0xFF, 0xD9],
    ]
    .concat();
    let config = SplitterConfig::default().with_max_frame_bytes(108);
    check_with(config, &stream, &[Discarded(Malformed, 108)]);
    let config = SplitterConfig::default().with_max_frame_bytes(105);
    check_with(config, &stream, &[Discarded(TooLarge, 108)]);
}

#[test]
fn endless_fill_bytes_end_at_the_limit() {
    let next = jpeg::numbered(2);
    let stream = [
        &jpeg::with_segment(&next, 0xE3, b"x")[..7],
        &[0xFF; 9000],
        b"\0",
        &next,
    ]
    .concat();
    let expected = [Discarded(TooLarge, stream.len() - next.len()), Frame(next)];
    check_with(
        SplitterConfig::default().with_max_frame_bytes(4000),
        &stream,
        &expected,
    );
}

#[test]
fn endless_garbage_is_reported_in_pieces() {
    let piece = 64 << 10;
    let frame = jpeg::numbered(1);
    let stream = [&vec![0x55; 2 * piece][..], &frame].concat();
    check(
        &stream,
        &[
            Discarded(Garbage, piece),
            Discarded(Garbage, piece),
            Frame(frame.clone()),
        ],
    );
    let stream = [&vec![0x55; piece + 1][..], &frame].concat();
    check(
        &stream,
        &[
            Discarded(Garbage, piece),
            Discarded(Garbage, 1),
            Frame(frame),
        ],
    );
}

#[test]
fn table_segment_of_more_than_sixteen_tables_is_no_segment() {
    let plain = jpeg::numbered(1);
    // Tables of class 0, identifier 0, without any code.
    let tables = |n: usize| jpeg::with_segment(&plain, 0xC4, &vec![0; 17 * n]);
    check(&tables(16), &[Frame(tables(16))]);
    let refused = tables(17);
    check(&refused, &[Discarded(Malformed, refused.len())]);
}

#[test]
fn default_limit_is_16_mib() {
    let frame_of = |len: usize| {
        let head: &[u8] = &[
            0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0, 0xFF, 0xDA, 0, 8, 1, 1, 0,
            0, 63, 0,
        ];
        [head, &vec![0x2A; len - head.len() - 2], &[0xFF, 0xD9]].concat()
    };
    let frame = frame_of(16 << 20);
    let config = SplitterConfig::default();
    assert_eq!(
        outcome(&config, frame.chunks(1 << 20)),
        [Frame(frame.clone().into())]
    );
    let outcome = outcome(&config, frame_of((16 << 20) + 1).chunks(1 << 20));
    assert_eq!(outcome[0], Discarded(TooLarge, (16 << 20) - 1));
}

#[test]
fn headers_of_exactly_the_limit_are_read_and_one_byte_more_are_dropped() {
    let image = jpeg::numbered(1);
    for (limit, config) in [
        (300, ParserConfig::default().with_max_header_bytes(300)),
        (256, ParserConfig::default().with_max_header_bytes(0)),
        (8 << 10, ParserConfig::default()),
    ] {
        // With two lines, and with one.
        let timestamp = "X-Timestamp: 5\r\n";
        let filler = |len: usize| format!("X: {}\r\n", "x".repeat(len - 5));
        let headers = |len: usize| [timestamp, &filler(len - timestamp.len())].concat();
        let stream =
            |headers: &str| [b"--frame\r\n", headers.as_bytes(), b"\r\n", &image[..]].concat();
        let passes = [
            Discarded(Framing, 9 + limit + 2),
            Part(image.clone(), told(Some(5))),
        ];
        check_parts_with(config.clone(), &stream(&headers(limit)), &passes);
        let dropped = [
            Discarded(Framing, 9 + timestamp.len()),
            Discarded(Garbage, limit + 1 - timestamp.len() + 2),
            Part(image.clone(), told(None)),
        ];
        check_parts_with(config.clone(), &stream(&headers(limit + 1)), &dropped);
        let passes = [
            Discarded(Framing, 9 + limit + 2),
            Part(image.clone(), told(None)),
        ];
        check_parts_with(config.clone(), &stream(&filler(limit)), &passes);
        let dropped = [
            Discarded(Framing, 9),
            Discarded(Garbage, limit + 1 + 2),
            Part(image.clone(), told(None)),
        ];
        check_parts_with(config, &stream(&filler(limit + 1)), &dropped);
    }
}

#[test]
fn headers_that_follow_too_many_are_dropped_with_them() {
    let image = jpeg::numbered(1);
    let config = ParserConfig::default().with_max_header_bytes(256);
    let flood = "X-Timestamp: 5\r\n".repeat(30);
    let stream = [b"--frame\r\n", flood.as_bytes(), b"\r\n", &image[..]].concat();
    let expected = [
        Discarded(Framing, 9 + 256),
        Discarded(Garbage, flood.len() - 256 + 2),
        Part(image.clone(), told(None)),
    ];
    check_parts_with(config.clone(), &stream, &expected);
    // The rest of a line that is too long is neither a header nor a delimiter, even if it looks
    // like one.
    for rest in ["X-Timestamp: 5\r\n", "--other\r\nX-Timestamp: 5\r\n"] {
        let line = ["X: ", &"x".repeat(2 * 256 - 3), rest].concat();
        let stream = [b"--frame\r\n", line.as_bytes(), b"\r\n", &image[..]].concat();
        let expected = [
            Discarded(Framing, 9),
            Discarded(Garbage, line.len() + 2),
            Part(image.clone(), told(None)),
        ];
        check_parts_with(config.clone(), &stream, &expected);
    }
    // An image ends them even without a delimiter.
    let stream = [
        flood.as_bytes(),
        b"\r\n",
        &image[..],
        b"\r\nX-Timestamp: 6\r\n\r\n",
        &image,
    ]
    .concat();
    let expected = [
        Discarded(Framing, 256),
        Discarded(Garbage, flood.len() - 256 + 2),
        Part(image.clone(), told(None)),
        Discarded(Framing, 2 + 16 + 2),
        Part(image.clone(), told(Some(6))),
    ];
    check_parts_with(config.clone(), &stream, &expected);
    // The next part is not affected.
    let next = b"\r\n--frame\r\nX-Timestamp: 5\r\n\r\n";
    let stream = [b"--frame\r\n", flood.as_bytes(), b"\r\n", next, &image[..]].concat();
    let expected = [
        Discarded(Framing, 9 + 256),
        Discarded(Garbage, flood.len() - 256 + 2 + 2),
        Discarded(Framing, next.len() - 2),
        Part(image, told(Some(5))),
    ];
    check_parts_with(config, &stream, &expected);
}

#[test]
fn long_lines_of_a_body_are_no_delimiters() {
    let image = jpeg::numbered(1);
    let config = ParserConfig::default().with_max_header_bytes(256);
    let body = ["x".repeat(2 * 256), "--frame\r\ntext\r\n".into()].concat();
    let framing = b"--frame\r\nX-Timestamp: 5\r\n\r\n";
    let stream = [framing, body.as_bytes(), framing, &image[..]].concat();
    let expected = [
        Discarded(Framing, framing.len()),
        Discarded(NotJpeg, body.len()),
        Discarded(Framing, framing.len()),
        Part(image.clone(), told(Some(5))),
    ];
    check_parts_with(config.clone(), &stream, &expected);
    // An image ends the line, too.
    let line = "x".repeat(300);
    let stream = [line.as_bytes(), &image[..], framing, &image].concat();
    let expected = [
        Discarded(Garbage, 300),
        Part(image.clone(), told(None)),
        Discarded(Framing, framing.len()),
        Part(image, told(Some(5))),
    ];
    check_parts_with(config, &stream, &expected);
}

#[test]
fn image_or_end_near_the_end_of_the_longest_line() {
    let image = jpeg::numbered(1);
    let config = ParserConfig::default().with_max_header_bytes(256);
    let framing = b"--frame\r\nX-Timestamp: 5\r\n\r\n";
    for len in 250..262 {
        let text = "x".repeat(len);
        let stream = [framing, text.as_bytes(), &image].concat();
        // Only now is it known not to be mere padding.
        let reason = if len < 256 { Garbage } else { NotJpeg };
        let expected = [
            Discarded(Framing, framing.len()),
            Discarded(reason, len),
            Part(image.clone(), told(Some(5))),
        ];
        check_parts_with(config.clone(), &stream, &expected);
        let stream = [framing, text.as_bytes()].concat();
        let expected = [Discarded(Framing, framing.len()), Discarded(NotJpeg, len)];
        check_parts_with(config.clone(), &stream, &expected);
    }
}

#[test]
fn delimiter_of_128_bytes_is_one_and_of_129_is_not() {
    let image = jpeg::numbered(1);
    let stream = |len: usize| {
        let delimiter = ["--", &"b".repeat(len - 2), "\r\n"].concat();
        [delimiter.as_bytes(), b"X: y\r\n\r\n", &image[..]].concat()
    };
    let expected = [
        Discarded(Framing, 128 + 2 + 6 + 2),
        Part(image.clone(), told(None)),
    ];
    check_parts(&stream(128), &expected);
    let expected = [
        Discarded(Garbage, 129 + 2 + 6 + 2),
        Part(image.clone(), told(None)),
    ];
    check_parts(&stream(129), &expected);
}

#[test]
fn frame_limit_holds_in_parts_too() {
    let (large, small) = (jpeg::of_length(1, 3000), jpeg::numbered(2));
    let framing = b"--frame\r\nX-Timestamp: 5\r\n\r\n";
    let stream = [framing, &large[..], b"\r\n", framing, &small].concat();
    let limit = |bytes: usize| {
        ParserConfig::default().with_splitter(SplitterConfig::default().with_max_frame_bytes(bytes))
    };
    let expected = [
        Discarded(Framing, framing.len()),
        Part(large.clone(), told(Some(5))),
        Discarded(Framing, 2 + framing.len()),
        Part(small.clone(), told(Some(5))),
    ];
    check_parts_with(limit(large.len()), &stream, &expected);
    let expected = [
        Discarded(Framing, framing.len()),
        // Its last byte is left over, on one line with the line break.
        Discarded(TooLarge, large.len() + 2),
        Discarded(Framing, framing.len()),
        Part(small, told(Some(5))),
    ];
    check_parts_with(limit(large.len() - 1), &stream, &expected);
}

/// Endless input is discarded as it comes, and all of it is accounted for.
#[test]
fn endless_streams_are_let_go_of_while_they_come() {
    let part = b"--frame\r\nContent-Type: text/plain\r\n\r\n";
    let floods: [(&str, &[u8], &[u8], DiscardReason); 10] = [
        ("a line", b"", b"x", Garbage),
        ("blank lines", b"", b"\r\n", Flood),
        ("delimiters", b"", b"--frame\r\n", Flood),
        ("parts", b"", part, Flood),
        ("a header line", b"--frame\r\nX: ", b"x", Garbage),
        ("headers", b"--frame\r\n", b"X-Timestamp: 5\r\n", Flood),
        ("text for headers", b"--frame\r\n", b"words\n", Flood),
        ("a line in a body", part, b"x", NotJpeg),
        ("lines in a body", part, b"--\r\n\r\n", Flood),
        (
            "parts of a frame",
            part,
            b"\xFF\xD8\xFF\xE0\0\x02\xFF\0\n",
            Flood,
        ),
    ];
    for (what, start, flood, expected) in floods {
        let mut parser = Parser::default();
        parser.push(start);
        let chunk = flood.repeat((16 << 10) / flood.len());
        let (mut pushed, mut reported) = (start.len(), 0);
        let (mut last, mut flood) = (None, false);
        for _ in 0..64 {
            parser.push(chunk.clone());
            pushed += chunk.len();
            while let Some(event) = parser.poll() {
                let Found::Discarded { reason, range } = event else {
                    panic!("a frame in {what}")
                };
                assert_eq!(range.start, reported as u64, "{what}");
                reported = range.end as usize;
                last = Some(reason);
                flood |= reason == Flood;
            }
            // At most one piece that is not full, the longest line, and the bytes that show whether
            // an image follows it.
            let most = (64 << 10) + (8 << 10) + 3;
            assert!(pushed - reported <= most, "{what}: {}", pushed - reported);
        }
        assert_eq!(flood, expected == Flood, "{what}");
        assert!(flood || last == Some(expected), "{what}: {last:?}");
        parser.finish();
        let rest = std::iter::from_fn(|| parser.poll()).last();
        let Some(Found::Discarded { range, .. }) = rest else {
            panic!("nothing left of {what}")
        };
        assert_eq!(range.end, pushed as u64, "{what}");
    }
}

fn told(seconds: Option<u64>) -> Told {
    Told {
        timestamp: seconds.map(Duration::from_secs),
        ..Told::default()
    }
}
