//! Each limit at n and at n + 1.

use mjpeg_codec::{DiscardReason::*, SplitterConfig};
use mjpeg_testkit::jpeg;

use crate::check::{Discarded, Frame, check, check_with, outcome};

#[test]
fn frame_of_exactly_the_limit_passes() {
    let frame = jpeg::of_length(1, 3000);
    let config = SplitterConfig::default().max_frame_bytes(frame.len());
    check_with(config, &frame.clone(), &[Frame(frame)]);
}

#[test]
fn frame_one_byte_over_the_limit_costs_that_frame() {
    let (large, small) = (jpeg::of_length(1, 3000), jpeg::numbered(2));
    let limit = large.len() - 1;
    let stream = [&large[..], &small].concat();
    let expected = [Discarded(TooLarge, large.len()), Frame(small)];
    check_with(
        SplitterConfig::default().max_frame_bytes(limit),
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
        SplitterConfig::default().max_frame_bytes(4000),
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
    let config = SplitterConfig::default().max_frame_bytes(108);
    check_with(config, &stream, &[Discarded(Malformed, 108)]);
    let config = SplitterConfig::default().max_frame_bytes(105);
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
        SplitterConfig::default().max_frame_bytes(4000),
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
