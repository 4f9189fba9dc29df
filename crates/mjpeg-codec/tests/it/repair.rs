//! Repairs are byte-exact, change nothing else, and need no repetition.

use bytes::Bytes;
use mjpeg_codec::repair::{Orientation, Repairs};
use mjpeg_codec::{DiscardReason, ErrorKind, Found, Frame, Splitter, SplitterConfig};
use mjpeg_testkit::jpeg;

use crate::naive::{self, frame, insert_before, pieces, segment};

fn tables() -> Repairs {
    Repairs::NONE.with_huffman_tables(true)
}

fn markers() -> Repairs {
    Repairs::NONE.with_embedded_markers(true)
}

fn eoi() -> Repairs {
    Repairs::NONE.with_eoi(true)
}

/// Checks the repaired bytes and the repairs reported, and that nothing but the bytes changes.
#[track_caller]
fn check(before: &[u8], repairs: Repairs, after: &[u8], made: Repairs) {
    let frame = frame(before);
    let (repaired, told) = frame.repaired(repairs);
    assert_eq!(told, made);
    assert!(
        repaired.bytes() == after,
        "{:02X?}\nis not\n{after:02X?}",
        repaired.bytes()
    );
    assert_eq!(all_but_bytes(&repaired), all_but_bytes(&frame));
    if made == Repairs::NONE {
        assert_eq!(repaired.bytes().as_ptr(), frame.bytes().as_ptr(), "a copy");
    }
    assert_eq!(
        repaired.repaired(repairs),
        (repaired.clone(), Repairs::NONE)
    );
}

#[test]
fn missing_tables_are_inserted_right_before_the_first_scan() {
    let bare = jpeg::without_dht(&jpeg::numbered(1));
    let whole = insert_before(&bare, 0xDA, 0, &naive::standard_tables());
    assert_eq!(whole.len(), bare.len() + 420);
    check(&bare, tables(), &whole, tables());
    check(&bare, Repairs::RECOMMENDED, &whole, tables());
}

#[test]
fn tables_are_inserted_before_the_fill_bytes_of_the_scan() {
    let bare = jpeg::without_dht(&jpeg::numbered(1));
    let bare = insert_before(&bare, 0xDA, 0, &[0xFF; 3]);
    let whole = insert_before(&bare, 0xDA, 0, &naive::standard_tables());
    check(&bare, tables(), &whole, tables());
}

#[test]
fn tables_that_come_after_the_first_scan_are_too_late_for_it() {
    let bare = jpeg::without_dht(&jpeg::numbered(1));
    let bare = insert_before(&bare, 0xD9, 0, &naive::standard_tables());
    let whole = insert_before(&bare, 0xDA, 0, &naive::standard_tables());
    check(&bare, tables(), &whole, tables());
}

#[test]
fn tables_are_inserted_once_for_all_scans() {
    let bare = jpeg::without_dht(&jpeg::numbered(1));
    let scan: Vec<u8> = pieces(&bare)
        .iter()
        .filter(|p| matches!(p.code, 0xDA | 0))
        .flat_map(|p| p.bytes.to_vec())
        .collect();
    let bare = insert_before(&bare, 0xD9, 0, &scan);
    let whole = insert_before(&bare, 0xDA, 0, &naive::standard_tables());
    check(&bare, tables(), &whole, tables());
    check(&bare, Repairs::RECOMMENDED, &whole, tables());
}

#[test]
fn a_frame_with_any_tables_is_left_alone() {
    let whole = jpeg::numbered(1);
    check(&whole, tables(), &whole, Repairs::NONE);
    let bare = jpeg::without_dht(&whole);
    let one_table = [&[0, 1][..], &[0; 15], &[0]].concat();
    let some = jpeg::with_segment(&bare, 0xC4, &one_table);
    check(&some, tables(), &some, Repairs::NONE);
}

#[test]
fn only_baseline_frames_get_tables() {
    let progressive = jpeg::without_dht(&jpeg::progressive(1));
    check(&progressive, tables(), &progressive, Repairs::NONE);
    let bare = jpeg::without_dht(&jpeg::numbered(1));
    let sof = bare.windows(2).position(|w| w == [0xFF, 0xC0]).unwrap();
    for (at, value) in [(1, 0xC1), (1, 0xC9), (1, 0xC3), (4, 12)] {
        let mut other = bare.to_vec();
        other[sof + at] = value;
        check(&other, tables(), &other, Repairs::NONE);
    }
}

#[test]
fn a_thumbnail_goes_with_its_segment() {
    let plain = jpeg::numbered(1);
    let with_thumbnail = jpeg::with_thumbnail(&plain, &jpeg::numbered(2));
    check(&with_thumbnail, markers(), &plain, markers());
    check(&with_thumbnail, tables(), &with_thumbnail, Repairs::NONE);
    let both = jpeg::with_thumbnail(&jpeg::without_dht(&plain), &jpeg::numbered(2));
    let repaired = naive::repair(&jpeg::without_dht(&plain), Repairs::RECOMMENDED);
    check(
        &both,
        Repairs::RECOMMENDED,
        &repaired,
        tables().with_embedded_markers(true),
    );
    // The bytes that Mainsail and Home Assistant search for are there once, in the expected places.
    for marker in [[0xFF, 0xD8], [0xFF, 0xD9]] {
        let found = repaired.windows(2).filter(|w| *w == marker).count();
        assert_eq!(found, 1);
    }
}

#[test]
fn every_kind_of_free_form_segment_is_looked_at() {
    let plain = jpeg::numbered(1);
    for code in (0xE0..=0xEF).chain([0xFE]) {
        for embedded in [0xD8, 0xD9] {
            let with = jpeg::with_segment(&plain, code, &[b'a', 0xFF, embedded]);
            check(&with, markers(), &plain, markers());
        }
        let harmless = [0xFF, 0xD7, 0xFF, 0xDA, 0xFF, 0xFF, 0xD8 + 2, 0xD8, 0xFF];
        let with = jpeg::with_segment(&plain, code, &harmless);
        check(&with, markers(), &with, Repairs::NONE);
    }
}

#[test]
fn segments_are_stripped_wherever_they_stand() {
    let plain = jpeg::progressive(1);
    let scans = pieces(&plain).iter().filter(|p| p.code == 0xDA).count();
    assert!(scans > 1);
    let comment = [&[0xFF, 0xFF], &segment(0xFE, b"\xFF\xD8")[..]].concat();
    // In the header, fill bytes are removed with their marker. After a scan they may belong to the
    // scan, and stay.
    check(
        &insert_before(&plain, 0xDA, 0, &comment),
        markers(),
        &plain,
        markers(),
    );
    for n in 1..scans {
        let comment = &comment[2..];
        let with = insert_before(&plain, 0xDA, n, comment);
        check(&with, markers(), &plain, markers());
    }
    let filled = insert_before(&plain, 0xD9, 0, &[0xFF, 0xFF]);
    let with = insert_before(&plain, 0xD9, 0, &comment);
    check(&with, markers(), &filled, markers());
    let many = comment.repeat(1000);
    let with = insert_before(&plain, 0xDA, 0, &many);
    check(&with, markers(), &plain, markers());
}

#[test]
fn a_length_that_looks_like_a_marker_counts() {
    let plain = jpeg::numbered(1);
    let of_length = |length: usize, first: u8| {
        let mut payload = vec![b' '; length - 2];
        payload[0] = first;
        jpeg::with_segment(&plain, 0xE2, &payload)
    };
    for (length, first, looks_like_one) in [
        (0xFFD7, b' ', false),
        (0xFFD8, b' ', true),
        (0xFFD9, b' ', true),
        (0xFFDA, b' ', false),
        // The second byte of the length, and the first of the payload.
        (0x01FF, 0xD8, true),
        (0x01FF, 0xD9, true),
        (0x01FF, 0xDA, false),
        (0x01FE, 0xD8, false),
    ] {
        let with = of_length(length, first);
        if looks_like_one {
            check(&with, markers(), &plain, markers());
        } else {
            check(&with, markers(), &with, Repairs::NONE);
        }
    }
}

#[test]
fn what_tells_the_colours_stays() {
    let plain = jpeg::numbered(1);
    // Flags that no encoder sets, between the version and the transform.
    let adobe = jpeg::with_segment(&plain, 0xEE, b"Adobe\0\x64\xFF\xD8\0\0\x01");
    check(&adobe, markers(), &adobe, Repairs::NONE);
    let jfif = pieces(&plain)[1].payload().to_vec();
    assert!(jfif.starts_with(b"JFIF\0") && jfif.len() == 14);
    let with_jfif = |payload: &[u8]| {
        let mut jpeg = plain.to_vec();
        jpeg.splice(2..20, segment(0xE0, payload));
        jpeg
    };
    // An implausible density.
    let dense = [&jfif[..8], &[0xFF, 0xD8], &jfif[10..]].concat();
    check(
        &with_jfif(&dense),
        markers(),
        &with_jfif(&dense),
        Repairs::NONE,
    );
    let thumbnail = [&jfif[..12], &[1, 2], &[0, 0xFF, 0xD8, 0, 0xFF, 0xD9]].concat();
    check(&with_jfif(&thumbnail), markers(), &plain, markers());
    let harmless = [&jfif[..12], &[1, 1], &[0, 0xFF, 0]].concat();
    check(
        &with_jfif(&harmless),
        markers(),
        &with_jfif(&harmless),
        Repairs::NONE,
    );
    // Too short for JFIF, and a thumbnail of JFIF's extension.
    for payload in [&b"JFIF\0\xFF\xD8"[..], b"JFXX\0\x10\xFF\xD8\xFF\xD9"] {
        let with = jpeg::with_segment(&plain, 0xE0, payload);
        check(&with, markers(), &plain, markers());
    }
}

#[test]
fn quantization_tables_are_not_looked_at() {
    let plain = jpeg::numbered(1);
    let mut payload = vec![3; 65];
    payload[9..11].copy_from_slice(&[0xFF, 0xD8]);
    let with = jpeg::with_segment(&plain, 0xDB, &payload);
    check(&with, Repairs::RECOMMENDED, &with, Repairs::NONE);
}

#[test]
fn a_missing_eoi_is_appended() {
    let whole = jpeg::numbered(1);
    check(&whole, eoi(), &whole, Repairs::NONE);
    let open = &whole[..whole.len() - 2];
    check(open, eoi(), &whole, eoi());
    check(open, Repairs::RECOMMENDED, &whole, eoi());
    check(open, markers(), open, Repairs::NONE);
    // The beginning of a marker becomes fill bytes.
    for begun in [&[0xFF][..], &[0xFF; 3]] {
        let open = [open, begun].concat();
        let closed = [&open[..], &[0xFF, 0xD9]].concat();
        check(&open, eoi(), &closed, eoi());
        assert_eq!(Frame::parse(closed).unwrap().width(), 64);
    }
}

#[test]
fn the_end_of_a_comment_is_no_eoi() {
    let whole = jpeg::numbered(1);
    let comment = segment(0xFE, b"\xFF\xD9");
    let open = [&whole[..whole.len() - 2], &comment].concat();
    let closed = [&open[..], &[0xFF, 0xD9]].concat();
    check(&open, eoi(), &closed, eoi());
    check(
        &open,
        Repairs::RECOMMENDED,
        &whole,
        eoi().with_embedded_markers(true),
    );
}

#[test]
fn no_repair_is_made_unasked() {
    assert_eq!(Repairs::default(), Repairs::NONE);
    let open = jpeg::with_thumbnail(&jpeg::without_dht(&jpeg::numbered(1)), b"\xFF\xD8");
    let open = &open[..open.len() - 2];
    check(open, Repairs::NONE, open, Repairs::NONE);
    let all = tables().with_embedded_markers(true).with_eoi(true);
    assert_eq!(all, Repairs::RECOMMENDED);
    for one in [tables(), markers(), eoi()] {
        check(open, one, &naive::repair(open, one), one);
    }
    assert!(tables().huffman_tables() && !tables().embedded_markers() && !tables().eoi());
    assert!(markers().embedded_markers() && !markers().huffman_tables() && !markers().eoi());
    assert!(eoi().eoi() && !eoi().huffman_tables() && !eoi().embedded_markers());
}

#[test]
fn a_repaired_frame_tells_where_it_began() {
    let bare = jpeg::without_dht(&jpeg::numbered(1));
    let mut splitter = Splitter::new(SplitterConfig::default());
    splitter.push([b"\r\n", &bare[..]].concat());
    splitter.finish();
    let frames: Vec<Frame> = std::iter::from_fn(|| splitter.poll())
        .filter_map(|event| match event {
            Found::Frame(frame) => Some(frame.repaired(Repairs::RECOMMENDED).0),
            _ => None,
        })
        .collect();
    assert_eq!((frames.len(), frames[0].offset()), (1, 2));
}

#[test]
fn what_follows_eoi_is_left_off() {
    let jpeg = jpeg::numbered(1);
    for trailer in [&b""[..], b"\0\0\0", b"\xFF\xD9", &jpeg::numbered(2)] {
        let bytes = Bytes::from([&jpeg[..], trailer].concat());
        let frame = Frame::parse_prefix(bytes.clone()).unwrap();
        assert_eq!(frame, Frame::parse(jpeg.clone()).unwrap());
        assert_eq!(frame.bytes().as_ptr(), bytes.as_ptr(), "a copy");
    }
    let error = |bytes: &[u8]| {
        let error = Frame::parse_prefix(bytes.to_vec()).unwrap_err();
        (error.kind, error.offset)
    };
    let cut = &jpeg[..jpeg.len() - 1];
    let truncated = ErrorKind::NotAFrame(DiscardReason::Truncated);
    assert_eq!(error(cut), (truncated, cut.len() as u64));
    assert_eq!(error(b""), (truncated, 0));
    let late = [b"\r\n", &jpeg[..]].concat();
    let garbage = ErrorKind::NotAFrame(DiscardReason::Garbage);
    assert_eq!(error(&late), (garbage, 0));
}

#[test]
fn each_repair_has_a_name() {
    let chosen = |repairs: Repairs| {
        repairs
            .named()
            .map(|(_, chosen)| chosen)
            .collect::<Vec<_>>()
    };
    assert_eq!(chosen(Repairs::NONE), [false; 4]);
    assert_eq!(chosen(Repairs::RECOMMENDED), [true, true, true, false]);
    let turned = Orientation::new(180, false).unwrap();
    for (i, repairs) in [
        Repairs::NONE.with_huffman_tables(true),
        Repairs::NONE.with_embedded_markers(true),
        Repairs::NONE.with_eoi(true),
        Repairs::NONE.with_orientation(turned),
    ]
    .into_iter()
    .enumerate()
    {
        let mut only = [false; 4];
        only[i] = true;
        assert_eq!(chosen(repairs), only);
    }
    let names = Repairs::NONE
        .named()
        .map(|(name, _)| name)
        .collect::<Vec<_>>();
    assert_eq!(
        names,
        ["huffman_tables", "embedded_markers", "eoi", "orientation"]
    );
}

/// Returns everything that a repair must not change.
fn all_but_bytes(frame: &Frame) -> (u64, [u16; 2], [u8; 3], bool) {
    (
        frame.offset(),
        [frame.width(), frame.height()],
        [frame.sof(), frame.precision_bits(), frame.components()],
        frame.displayable(),
    )
}
