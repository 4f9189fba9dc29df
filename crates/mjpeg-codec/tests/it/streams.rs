//! The output of real and damaged streams.

use bytes::Bytes;
use mjpeg_codec::{DiscardReason::*, Found, MissingEoi, Splitter, SplitterConfig};
use mjpeg_testkit::jpeg;

use crate::check::{Discarded, Frame, check, check_with};

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
    // The FF of the lost EOI reads as a fill byte before the next SOI, and stays with the broken
    // frame.
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
    // An APP5 segment that claims 4000 bytes, of which 10 come before the camera starts again.
    let cut = joined(&[&a[..2], &[0xFF, 0xE5, 0x0F, 0xA0], &[7; 10]]);
    let outcome = crate::check::outcome(
        &SplitterConfig::default(),
        [&*joined(&[&cut, &b])].into_iter(),
    );
    assert_eq!(outcome.last(), Some(&Frame(b.clone())));
    check(&joined(&[&cut, &b]), &[Discarded(Malformed, 16), Frame(b)]);
}

#[test]
fn illegal_marker_in_the_scan_costs_that_frame() {
    let (a, b) = (jpeg::of_length(1, 20_000).to_vec(), jpeg::numbered(2));
    let mut hurt = a.clone();
    let stuffed = (a.len() / 2..a.len() - 2)
        .find(|&i| a[i..i + 2] == [0xFF, 0x00])
        .expect("a stuffed byte");
    hurt[stuffed + 1] = 0x02;
    check(
        &joined(&[&hurt, &b]),
        &[Discarded(Malformed, a.len()), Frame(b)],
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
    let Some(Found::Frame(frame)) = splitter.poll() else {
        panic!("no frame")
    };
    assert_eq!((frame.width(), frame.height()), (64, 48));
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
    assert!(matches!(splitter.poll(), Some(Found::Frame(f)) if *f.bytes() == frame));
}

#[test]
fn splitter_takes_a_new_stream_after_the_end_of_one() {
    let (a, b) = (jpeg::numbered(1), jpeg::numbered(2));
    let mut splitter = Splitter::new(SplitterConfig::default());
    splitter.push(a.slice(..20));
    splitter.finish();
    assert!(matches!(
        splitter.poll(),
        Some(Found::Discarded {
            reason: Truncated,
            ..
        })
    ));
    assert_eq!(splitter.poll(), None);
    splitter.push(b.clone());
    assert!(
        matches!(splitter.poll(), Some(Found::Frame(f)) if *f.bytes() == b && f.offset() == 20)
    );
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
        (0xC0, &[8, 0, 8, 0, 8, 1, 1, 0x01, 0]), // no horizontal sampling
        (0xC0, &[8, 0, 8, 0, 8, 1, 1, 0x15, 0]), // vertical sampling of 5
        (0xC0, &[8, 0, 8, 0, 8, 1, 1, 0x11, 4]), // quantization tables are 0 to 3
    ] {
        // The comment before it, because SOS cannot follow SOI.
        let hurt = jpeg::with_segment(&jpeg::with_segment(&plain, marker, payload), 0xFE, b"x");
        let expected = [Discarded(Malformed, hurt.len()), Frame(next.clone())];
        check(&joined(&[&hurt, &next]), &expected);
    }
}

#[test]
fn scan_headers_beyond_the_bounds_of_t81_are_refused() {
    let (plain, next) = (jpeg::numbered(1), jpeg::numbered(2));
    let sos = plain.windows(2).position(|w| w == [0xFF, 0xDA]).unwrap();
    for (from_end, value) in [
        (3, 64),   // Ss is at most 63
        (2, 64),   // Se too
        (1, 0xE0), // Ah is at most 13
        (4, 0x40), // there are four DC tables
        (4, 0x04), // and four AC tables
    ] {
        let mut hurt = plain.to_vec();
        hurt[sos + 2 + 12 - from_end] = value;
        let expected = [Discarded(Malformed, hurt.len()), Frame(next.clone())];
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
            &[Discarded(Malformed, 8), Frame(next.clone())],
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
    // SOS cannot follow SOI, so nothing here looks like the beginning of a frame.
    let expected = [Discarded(Garbage, no_header.len()), Frame(next.clone())];
    check(&joined(&[&no_header, &next]), &expected);
    let with_comment = jpeg::with_segment(&no_header, 0xFE, b"x");
    let expected = [
        Discarded(Malformed, with_comment.len()),
        Frame(next.clone()),
    ];
    check(&joined(&[&with_comment, &next]), &expected);
}

#[test]
fn second_frame_header_without_dhp_is_the_next_frames() {
    let (a, b) = (jpeg::numbered(1), jpeg::numbered(2));
    // A frame that broke off inside a comment. Its stale length ends together with the first
    // segment of the next frame.
    let tables = a.windows(2).position(|w| w == [0xFF, 0xC0]).unwrap() + 19;
    let cut = joined(&[&a[..tables], &[0xFF, 0xFE, 0, 12], &b"12345678"[..]]);
    check(
        &joined(&[&cut, &b]),
        &[Discarded(Malformed, cut.len()), Frame(b)],
    );
}

#[test]
fn next_frame_is_found_where_the_stale_length_takes_its_soi_for_the_length() {
    let next = jpeg::numbered(2);
    // Broken off just after the marker: the length would be FF D8.
    let cut = [0xFF, 0xD8, 0xFF, 0xE1];
    let stream = joined(&[&cut, &next, &next, &next]);
    let expected = [
        Discarded(Truncated, cut.len()),
        Frame(next.clone()),
        Frame(next.clone()),
        Frame(next),
    ];
    check(&stream, &expected);
}

#[test]
fn thumbnail_of_a_broken_frame_is_not_taken_for_a_frame() {
    let next = jpeg::numbered(2);
    let frame = jpeg::with_thumbnail(&jpeg::numbered(1), &jpeg::sized(3, 16, 16));
    // The length of APP1 is wrong by one, so the thumbnail is searched for the next frame.
    for change in [1, 255] {
        let mut hurt = frame.to_vec();
        hurt[5] = hurt[5].wrapping_add(change);
        check(
            &joined(&[&hurt, &next]),
            &[Discarded(Malformed, hurt.len()), Frame(next.clone())],
        );
    }
}

#[test]
fn end_of_stream_behind_a_sound_segment_does_not_search_that() {
    let frame = jpeg::with_thumbnail(&jpeg::numbered(1), &jpeg::sized(3, 16, 16));
    // Exif, padded after its thumbnail; then the next marker, and the end.
    let mut exif =
        frame[..4 + 2 + usize::from(frame[4]) * 256 + usize::from(frame[5]) - 2].to_vec();
    let padded = u16::from_be_bytes([exif[4], exif[5]]) + 9;
    exif[4..6].copy_from_slice(&padded.to_be_bytes());
    exif.extend([0; 9]);
    exif.extend([0xFF, 0xE0]);
    check(&exif, &[Discarded(Truncated, exif.len())]);
}

#[test]
fn end_of_stream_gives_back_the_frames_a_false_segment_swallowed() {
    let (a, b) = (jpeg::numbered(1), jpeg::numbered(2));
    let start = [0xFF, 0xD8, 0xFF, 0xE0, 0x7F, 0xFF];
    check(
        &joined(&[&start, &a, &b]),
        &[Discarded(Truncated, start.len()), Frame(a), Frame(b)],
    );
}

#[test]
fn frames_without_eoi_are_dropped_or_accepted_as_set() {
    let (a, b) = (jpeg::numbered(1), jpeg::numbered(2));
    let without = |frame: &Bytes| frame.slice(..frame.len() - 2);
    let stream = joined(&[&without(&a), &without(&b)]);
    let dropped = [a.len(), b.len()].map(|len| Discarded(Truncated, len - 2));
    check(&stream, &dropped);
    let accept = SplitterConfig::default().with_missing_eoi(MissingEoi::Accept);
    check_with(
        accept.clone(),
        &stream,
        &[Frame(without(&a)), Frame(without(&b))],
    );
    // A frame that broke off before its scan is still not a frame.
    let header = a.slice(..20);
    check_with(
        accept,
        &joined(&[&header, &b, &header]),
        &[Discarded(Truncated, 20), Frame(b), Discarded(Truncated, 20)],
    );
}

#[test]
fn frame_without_eoi_that_broke_off_in_a_segment_is_dropped() {
    let a = jpeg::numbered(1);
    let scanned = a.slice(..a.len() - 2);
    let accept = SplitterConfig::default().with_missing_eoi(MissingEoi::Accept);
    let in_comment = joined(&[&scanned, &[0xFF, 0xFE, 0, 20, b'x']]);
    let expected = [Discarded(Truncated, in_comment.len())];
    check_with(accept.clone(), &in_comment, &expected);
    // The first byte of the EOI alone is not a segment.
    let half_eoi = a.slice(..a.len() - 1);
    check_with(accept, &half_eoi.clone(), &[Frame(half_eoi)]);
}

#[test]
fn flood_of_soi_is_one_range_of_garbage() {
    let frame = jpeg::numbered(1);
    let flood = [0xFF, 0xD8].repeat(1000);
    check(
        &joined(&[&flood, &frame]),
        &[Discarded(Garbage, flood.len()), Frame(frame)],
    );
}
