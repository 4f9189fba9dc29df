//! A frame is made to say how viewers are to turn and mirror it.

use mjpeg_codec::repair::{Orientation, Repairs};
use mjpeg_testkit::jpeg;

use crate::naive::{exif_segment, frame, insert_before, segment};

fn turn(degrees: u16, mirror: bool) -> Repairs {
    Repairs::NONE.with_orientation(Orientation::new(degrees, mirror).unwrap())
}

/// The payload of an Exif segment with two entries, the second of which is the orientation, if
/// any; and behind them a date that one of them refers to.
fn exif(is_big: bool, orientation: Option<u16>) -> Vec<u8> {
    let short = |n: u16| {
        if is_big {
            n.to_be_bytes()
        } else {
            n.to_le_bytes()
        }
    };
    let long = |n: u32| {
        if is_big {
            n.to_be_bytes()
        } else {
            n.to_le_bytes()
        }
    };
    let entries = 1 + u16::from(orientation.is_some());
    let mut exif = b"Exif\0\0".to_vec();
    exif.extend(if is_big { b"MM" } else { b"II" });
    exif.extend([&short(42)[..], &long(8), &short(entries)].concat());
    let date_at = 8 + 2 + u32::from(entries) * 12 + 4;
    // A real camera sorts its tags, but need not.
    exif.extend([&short(0x0132)[..], &short(2), &long(20), &long(date_at)].concat());
    if let Some(value) = orientation {
        exif.extend(
            [
                &short(0x0112)[..],
                &short(3),
                &long(1),
                &short(value),
                &[0, 0],
            ]
            .concat(),
        );
    }
    exif.extend(long(0));
    exif.extend(b"2026:11:29 11:30:00\0");
    exif
}

fn with_exif(jpeg: &[u8], payload: &[u8]) -> Vec<u8> {
    behind_jfif(jpeg, &segment(0xE1, payload))
}

/// Inserts bytes behind the JFIF segment with which the test kit's pictures begin.
fn behind_jfif(jpeg: &[u8], inserted: &[u8]) -> Vec<u8> {
    let (head, rest) = jpeg.split_at(20);
    assert_eq!(head[..11], *b"\xFF\xD8\xFF\xE0\0\x10JFIF\0");
    [head, inserted, rest].concat()
}

#[track_caller]
fn check(before: &[u8], repairs: Repairs, after: &[u8]) {
    let (repaired, made) = frame(before).repaired(repairs);
    assert_eq!(made, repairs);
    assert!(
        repaired.bytes() == after,
        "{:02X?}\nis not\n{:02X?}",
        &repaired.bytes()[..120],
        &after[..120]
    );
}

#[test]
fn a_segment_with_the_tag_is_inserted_behind_jfif() {
    let plain = jpeg::numbered(1);
    for (degrees, mirror, value) in [
        (90, false, 6),
        (180, false, 3),
        (270, false, 8),
        (0, true, 2),
        (90, true, 5),
        (180, true, 4),
        (270, true, 7),
    ] {
        let exif = exif_segment(Orientation::from_exif(value).unwrap());
        let after = behind_jfif(&plain, &exif);
        assert_eq!(after.len(), plain.len() + 36);
        check(&plain, turn(degrees, mirror), &after);
    }
    let upright = turn(0, false);
    assert_eq!(upright, Repairs::NONE);
    assert_eq!(
        frame(&plain).repaired(upright),
        (frame(&plain), Repairs::NONE)
    );
}

#[test]
fn without_jfif_it_stands_right_behind_soi() {
    let plain = jpeg::numbered(1);
    let plain = [&plain[..2], &plain[20..]].concat();
    let behind_soi = |jpeg: &[u8], bytes: &[u8]| [&jpeg[..2], bytes, &jpeg[2..]].concat();
    let exif = exif_segment(Orientation::from_exif(3).unwrap());
    check(&plain, turn(180, false), &behind_soi(&plain, &exif));
    // Some browsers look at the first APP1 only, so ours precedes that of XMP.
    let xmp = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0");
    let with_xmp = behind_soi(&plain, &xmp);
    let after = behind_soi(&plain, &[exif, xmp].concat());
    check(&with_xmp, turn(180, false), &after);
}

#[test]
fn what_the_camera_says_itself_is_composed_in_place() {
    let plain = jpeg::numbered(1);
    for is_big in [false, true] {
        for (said, degrees, mirror, expected) in [
            (1, 90, false, 6),
            (6, 90, false, 3),
            (6, 270, false, 1),
            (8, 0, true, 7),
            (2, 90, false, 7),
            (5, 90, false, 2),
            // Decoders ignore these.
            (0, 90, false, 6),
            (9, 90, false, 6),
        ] {
            let before = with_exif(&plain, &exif(is_big, Some(said)));
            let after = with_exif(&plain, &exif(is_big, Some(expected)));
            check(&before, turn(degrees, mirror), &after);
        }
    }
}

#[test]
fn exif_segment_without_the_tag_stays_behind_ours() {
    let plain = jpeg::numbered(1);
    let before = with_exif(&plain, &exif(true, None));
    let ours = exif_segment(Orientation::from_exif(6).unwrap());
    check(&before, turn(90, false), &behind_jfif(&before, &ours));
}

#[test]
fn hostile_exif_is_left_alone_behind_ours() {
    let plain = jpeg::numbered(1);
    let whole = exif(true, Some(6));
    let mut hostile = Vec::new();
    for offset in [0u32, 7, 60, 0x7FFF_FFFF, u32::MAX] {
        let mut exif = whole.clone();
        exif[10..14].copy_from_slice(&offset.to_be_bytes());
        hostile.push(exif);
    }
    hostile.extend((6..40).map(|len| whole[..len].to_vec()));
    for payload in &hostile {
        let before = with_exif(&plain, payload);
        let ours = exif_segment(Orientation::from_exif(3).unwrap());
        check(&before, turn(180, false), &behind_jfif(&before, &ours));
    }
    // A directory that claims more entries than fit.
    let mut many = whole.clone();
    many[14..16].copy_from_slice(&[0xFF, 0xFF]);
    let mut turned = many.clone();
    turned[16 + 12 + 9] = 8;
    check(
        &with_exif(&plain, &many),
        turn(180, false),
        &with_exif(&plain, &turned),
    );
}

#[test]
fn only_the_first_exif_segment_before_the_scan_counts() {
    let plain = jpeg::numbered(1);
    let second = segment(0xE1, &exif(true, Some(8)));
    let before = with_exif(&plain, &exif(true, Some(6)));
    let before = insert_before(&before, 0xDB, 0, &second);
    let after = with_exif(&plain, &exif(true, Some(3)));
    let after = insert_before(&after, 0xDB, 0, &second);
    check(&before, turn(90, false), &after);
    let late = insert_before(&plain, 0xD9, 0, &second);
    let ours = exif_segment(Orientation::from_exif(6).unwrap());
    check(&late, turn(90, false), &behind_jfif(&late, &ours));
}

#[test]
fn orientation_outlives_the_segment_of_a_thumbnail() {
    let plain = jpeg::numbered(1);
    let thumbnail = jpeg::numbered(2);
    let sideways = |value| [&exif(false, Some(value))[..], &thumbnail].concat();
    let kept = |value| {
        let exif = exif_segment(Orientation::from_exif(value).unwrap());
        behind_jfif(&plain, &exif)
    };
    let markers = Repairs::NONE.with_embedded_markers(true);
    check(&with_exif(&plain, &sideways(6)), markers, &kept(6));
    check(&with_exif(&plain, &sideways(1)), markers, &plain);
    let both = turn(90, false).with_embedded_markers(true);
    check(&with_exif(&plain, &sideways(6)), both, &kept(3));
    check(&with_exif(&plain, &sideways(8)), both, &plain);
    let without_tag = [&exif(false, None)[..], &thumbnail].concat();
    check(&with_exif(&plain, &without_tag), both, &kept(6));
}

#[test]
fn orientation_takes_effect_again_when_it_is_made_again() {
    let quarter = turn(90, false);
    let mut turned = frame(&jpeg::numbered(1));
    let mut said = Vec::new();
    for _ in 0..4 {
        turned = turned.repaired(quarter).0;
        let (_, exif) = turned.bytes().split_at(
            turned
                .bytes()
                .windows(4)
                .position(|w| w == b"Exif")
                .unwrap(),
        );
        said.push(exif[25]);
    }
    assert_eq!(said, [6, 3, 8, 1]);
    // Only the first adds to the length.
    assert_eq!(turned.bytes().len(), jpeg::numbered(1).len() + 36);
}
