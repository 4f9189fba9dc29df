//! What real and damaged streams come out as.

use bytes::Bytes;
use mjpeg_codec::{DiscardReason::*, Event, Splitter, SplitterConfig};
use mjpeg_testkit::jpeg;

use crate::check::{Discarded, Frame, check};

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

#[test]
fn frames_follow_one_another() {
    let (a, b) = (jpeg::numbered(1), jpeg::numbered(2));
    check(&joined(&[&a, &b]), &[Frame(a), Frame(b)]);
}

#[test]
fn nothing_comes_of_nothing() {
    check(b"", &[]);
}

#[test]
fn thumbnail_inside_app1_does_not_cut_the_frame() {
    let frame = jpeg::with_thumbnail(&jpeg::numbered(1), &jpeg::sized(2, 16, 16));
    check(
        &joined(&[&frame, &frame]),
        &[Frame(frame.clone()), Frame(frame)],
    );
}

#[test]
fn comment_holding_soi_and_eoi_does_not_cut_the_frame() {
    let frame = jpeg::with_segment(
        &jpeg::numbered(1),
        0xFE,
        &[0xFF, 0xD9, 0xFF, 0xD8, 0xFF, 0xD9],
    );
    check(&frame.clone(), &[Frame(frame)]);
}

#[test]
fn restart_markers_continue_the_scan() {
    let frame = jpeg::with_restarts(1, 2);
    assert!(
        frame.windows(2).any(|w| w == [0xFF, 0xD0]),
        "the fixture has restart markers"
    );
    check(&frame.clone(), &[Frame(frame)]);
}

#[test]
fn progressive_frame_with_several_scans_is_one_frame() {
    let frame = jpeg::progressive(1);
    assert!(
        frame.windows(2).filter(|w| *w == [0xFF, 0xDA]).count() > 1,
        "the fixture has several scans"
    );
    check(&frame.clone(), &[Frame(frame)]);
}

#[test]
fn frame_without_huffman_tables_is_a_frame() {
    let frame = jpeg::without_dht(&jpeg::numbered(1));
    check(&frame.clone(), &[Frame(frame)]);
}

#[test]
fn fill_bytes_before_markers_belong_to_the_frame() {
    let plain = jpeg::numbered(1);
    let mut filled = plain[..plain.len() - 2].to_vec();
    filled.splice(2..2, [0xFF; 5]);
    filled.extend([0xFF, 0xFF, 0xFF, 0xD9]);
    check(&filled.clone(), &[Frame(filled.into())]);
}

#[test]
fn garbage_between_frames_is_skipped_and_counted() {
    let (a, b) = (jpeg::numbered(1), jpeg::numbered(2));
    let stream = joined(&[b"\0\0junk", &a, b"\r\n--boundary\r\n", &b, &[0; 20]]);
    let expected = [
        Discarded(Garbage, 6),
        Frame(a),
        Discarded(Garbage, 14),
        Frame(b),
        Discarded(Garbage, 20),
    ];
    check(&stream, &expected);
}

#[test]
fn stream_that_begins_inside_a_frame_starts_with_the_next() {
    let (a, b) = (jpeg::numbered(1), jpeg::numbered(2));
    let tail = &a[a.len() / 2..];
    check(
        &joined(&[tail, &b]),
        &[Discarded(Garbage, tail.len()), Frame(b)],
    );
}

#[test]
fn frame_cut_off_in_its_scan_costs_that_frame() {
    let (a, b) = (jpeg::of_length(1, 3000), jpeg::numbered(2));
    let cut = &a[..a.len() - 500];
    check(
        &joined(&[cut, &b]),
        &[Discarded(Truncated, cut.len()), Frame(b)],
    );
}

#[test]
fn frame_cut_off_just_after_ff_costs_that_frame() {
    let (a, b) = (jpeg::numbered(1), jpeg::numbered(2));
    let cut = &a[..a.len() - 1];
    // The FF of the lost EOI reads as a fill byte before the next SOI; it stays with the broken frame.
    check(
        &joined(&[cut, &b]),
        &[Discarded(Truncated, cut.len()), Frame(b)],
    );
}

#[test]
fn frame_cut_off_between_segments_costs_that_frame() {
    let (a, b) = (
        jpeg::with_segment(&jpeg::numbered(1), 0xE5, b"1234"),
        jpeg::numbered(2),
    );
    let cut = &a[..2 + 4 + 4];
    check(
        &joined(&[cut, &b]),
        &[Discarded(Truncated, cut.len()), Frame(b)],
    );
}

#[test]
fn segment_length_that_reaches_into_the_next_frame_does_not_lose_it() {
    let (a, b) = (jpeg::numbered(1), jpeg::of_length(2, 9000));
    // An APP5 segment that claims 4000 bytes, of which 10 come before the camera starts anew.
    let cut = joined(&[&a[..2], &[0xFF, 0xE5, 0x0F, 0xA0], &[7; 10]]);
    let outcome = crate::check::outcome(
        &SplitterConfig::default(),
        [&*joined(&[&cut, &b])].into_iter(),
    );
    assert_eq!(outcome.last(), Some(&Frame(b.clone())));
    check(
        &joined(&[&cut, &b]),
        &[Discarded(Malformed, 6), Discarded(Garbage, 10), Frame(b)],
    );
}

#[test]
fn illegal_marker_in_the_scan_costs_that_frame() {
    let (a, b) = (jpeg::of_length(1, 20_000).to_vec(), jpeg::numbered(2));
    let mut hurt = a.clone();
    let stuffed = (a.len() / 2..a.len() - 2)
        .find(|&i| a[i..i + 2] == [0xFF, 0x00])
        .expect("a stuffed byte");
    hurt[stuffed + 1] = 0x02;
    let (head, rest) = (stuffed + 2, a.len() - stuffed - 2);
    check(
        &joined(&[&hurt, &b]),
        &[
            Discarded(Malformed, head),
            Discarded(Garbage, rest),
            Frame(b),
        ],
    );
}

#[test]
fn lone_soi_is_garbage() {
    let a = jpeg::numbered(1);
    check(
        &joined(&[&[0xFF, 0xD8], &a]),
        &[Discarded(Garbage, 2), Frame(a.clone())],
    );
    check(
        &joined(&[&[0xFF, 0xD8, 0xFF, 0x00, 0x11], &a]),
        &[Discarded(Garbage, 5), Frame(a)],
    );
}

#[test]
fn tables_without_an_image_are_no_frame() {
    let a = jpeg::numbered(1);
    let tables = [0xFF, 0xD8, 0xFF, 0xFE, 0, 4, b'h', b'i', 0xFF, 0xD9];
    check(
        &joined(&[&tables, &a]),
        &[Discarded(Malformed, tables.len()), Frame(a)],
    );
}

#[test]
fn height_left_open_in_the_header_comes_from_dnl() {
    let a = jpeg::numbered(1);
    let sof = a
        .windows(2)
        .position(|w| w == [0xFF, 0xC0])
        .expect("a baseline frame");
    let mut open = a[..a.len() - 2].to_vec();
    open[sof + 5..sof + 7].fill(0);
    open.extend([0xFF, 0xDC, 0, 4, 0, 48, 0xFF, 0xD9]);
    let mut splitter = Splitter::new(SplitterConfig::default());
    splitter.push(open);
    let Some(Event::Frame(frame)) = splitter.poll() else {
        panic!("no frame")
    };
    assert_eq!((frame.width, frame.height), (64, 48));
}

#[test]
fn end_of_stream_gives_up_the_frame_in_hand() {
    let (a, b) = (jpeg::numbered(1), jpeg::numbered(2));
    let cut = &b[..b.len() - 1];
    check(
        &joined(&[&a, cut]),
        &[Frame(a), Discarded(Truncated, cut.len())],
    );
}

#[test]
fn frame_comes_out_of_the_push_that_holds_its_last_byte() {
    let frame = jpeg::numbered(1);
    let mut splitter = Splitter::new(SplitterConfig::default());
    let (last, rest) = frame.split_last().unwrap();
    splitter.push(Bytes::copy_from_slice(rest));
    assert_eq!(splitter.poll(), None);
    splitter.push(vec![*last]);
    assert!(matches!(splitter.poll(), Some(Event::Frame(f)) if f.bytes == frame));
}

#[test]
fn splitter_takes_a_new_stream_after_the_end_of_one() {
    let (a, b) = (jpeg::numbered(1), jpeg::numbered(2));
    let mut splitter = Splitter::new(SplitterConfig::default());
    splitter.push(a.slice(..20));
    splitter.finish();
    assert!(matches!(
        splitter.poll(),
        Some(Event::Discarded {
            reason: Truncated,
            ..
        })
    ));
    assert_eq!(splitter.poll(), None);
    splitter.push(b.clone());
    assert!(matches!(splitter.poll(), Some(Event::Frame(f)) if f.bytes == b && f.offset == 20));
}

#[test]
fn fill_bytes_before_a_restart_marker_belong_to_the_scan() {
    let plain = jpeg::with_restarts(1, 2);
    let restart = plain
        .windows(2)
        .position(|w| w == [0xFF, 0xD0])
        .expect("a restart marker");
    let mut filled = plain.to_vec();
    filled.splice(restart..restart, [0xFF, 0xFF]);
    check(&filled.clone(), &[Frame(filled.into())]);
}

#[test]
fn segments_of_the_wrong_inner_form_are_refused() {
    let (plain, next) = (jpeg::numbered(1), jpeg::numbered(2));
    let table_with_unknown_precision = [&[0x40][..], &[1; 64]].concat();
    for (marker, payload) in [
        (0xDD, &[0; 4][..]),                     // DRI has two bytes
        (0xDB, &table_with_unknown_precision),   // Pq is 0 or 1
        (0xDB, &[0; 64]),                        // one byte short of a table
        (0xC4, &[0x20; 17]),                     // Tc is 0 or 1
        (0xDA, &[0, 0, 63, 0]),                  // a scan of no components
        (0xC0, &[8, 0, 8, 0, 0, 1, 1, 0x11, 0]), // no width
    ] {
        let hurt = jpeg::with_segment(&plain, marker, payload);
        let expected = [
            Discarded(Malformed, 6),
            Discarded(Garbage, hurt.len() - 6),
            Frame(next.clone()),
        ];
        check(&joined(&[&hurt, &next]), &expected);
    }
}

#[test]
fn segment_lengths_below_two_are_refused() {
    let next = jpeg::numbered(1);
    for length in [0, 1] {
        let hurt = [0xFF, 0xD8, 0xFF, 0xE0, 0, length, 7, 7];
        check(
            &joined(&[&hurt, &next]),
            &[
                Discarded(Malformed, 4),
                Discarded(Garbage, 4),
                Frame(next.clone()),
            ],
        );
    }
}

#[test]
fn header_without_a_scan_is_no_frame() {
    let no_scan = [
        0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0, 0xFF, 0xD9,
    ];
    let next = jpeg::numbered(1);
    check(
        &joined(&[&no_scan, &next]),
        &[Discarded(Malformed, no_scan.len()), Frame(next)],
    );
}

#[test]
fn scan_without_a_header_is_no_frame() {
    let no_header = [
        0xFF, 0xD8, 0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x2A, 0xFF, 0xD9,
    ];
    let next = jpeg::numbered(1);
    let expected = [
        Discarded(Malformed, 6),
        Discarded(Garbage, no_header.len() - 6),
        Frame(next.clone()),
    ];
    check(&joined(&[&no_header, &next]), &expected);
}
