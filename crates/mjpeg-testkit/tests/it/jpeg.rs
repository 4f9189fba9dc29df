use std::collections::HashSet;

use mjpeg_testkit::jpeg::{
    number_of, numbered, of_length, progressive, sized, with_restarts, with_segment,
    with_thumbnail, without_dht,
};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;

use crate::walk::markers;

const SOF0: u8 = 0xc0;
const SOF2: u8 = 0xc2;
const DHT: u8 = 0xc4;
const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;
const DRI: u8 = 0xdd;
const COM: u8 = 0xfe;

fn decoded(jpeg: &[u8]) -> (Vec<u8>, (usize, usize)) {
    let mut decoder = JpegDecoder::new(ZCursor::new(jpeg));
    let pixels = decoder.decode().expect("the JPEG can be decoded");
    let size = decoder
        .dimensions()
        .expect("a decoded image has dimensions");
    (pixels, size)
}

fn count(markers: &[u8], wanted: u8) -> usize {
    markers.iter().filter(|marker| **marker == wanted).count()
}

#[test]
fn numbers_round_trip() {
    for number in [0, 1, 2, 255, 65_536, u32::MAX] {
        assert_eq!(number_of(&numbered(number)), Some(number));
        assert_eq!(number_of(&sized(number, 16, 16)), Some(number));
        assert_eq!(number_of(&of_length(number, 10_000)), Some(number));
        assert_eq!(number_of(&with_restarts(number, 4)), Some(number));
        assert_eq!(number_of(&progressive(number)), Some(number));
    }
}

#[test]
fn what_has_no_number_gives_none() {
    assert_eq!(number_of(b""), None);
    assert_eq!(number_of(b"\xff\xd8"), None);
    assert_eq!(number_of(b"no image at all"), None);
    assert_eq!(number_of(b"\xff\xd8\xff\xfe\x00\x05n=x\xff\xd9"), None);
    assert_eq!(number_of(b"\xff\xd8\xff\xfe\xff\xffn=1"), None);
    assert_eq!(number_of(b"\xff\xd8\xff\xfe\x00\x00n=1"), None);
}

#[test]
fn same_arguments_give_same_bytes_and_numbers_differ() {
    assert_eq!(numbered(7), numbered(7));
    assert_eq!(of_length(7, 20_000), of_length(7, 20_000));
    let distinct: HashSet<_> = (0..200).map(numbered).collect();
    assert_eq!(distinct.len(), 200);
}

#[test]
fn numbers_show_in_the_picture() {
    let mean = |number| {
        let (pixels, _) = decoded(&numbered(number));
        [0, 1, 2].map(|channel| {
            let samples = pixels.iter().skip(channel).step_by(3);
            samples.map(|sample| u32::from(*sample)).sum::<u32>() / (64 * 48)
        })
    };
    for number in 0..20 {
        let distance: u32 = mean(number)
            .iter()
            .zip(mean(number + 1))
            .map(|(a, b)| a.abs_diff(b))
            .sum();
        assert!(distance > 20, "{number} and its successor look alike");
    }
}

#[test]
fn a_numbered_image_is_small_and_baseline() {
    let jpeg = numbered(3);
    let markers = markers(&jpeg);
    assert_eq!(markers.first(), Some(&SOI));
    assert_eq!(markers.last(), Some(&EOI));
    assert_eq!(count(&markers, SOF0), 1);
    assert_eq!(count(&markers, SOS), 1);
    assert_eq!(count(&markers, COM), 1);
    assert_eq!(count(&markers, DHT), 4);
    assert_eq!(decoded(&jpeg).1, (64, 48));
    assert!((1000..2500).contains(&jpeg.len()), "{} bytes", jpeg.len());
}

#[test]
fn a_sized_image_has_its_size() {
    for (width, height) in [(1, 1), (17, 9), (320, 240), (1, 500)] {
        let jpeg = sized(1, width, height);
        markers(&jpeg);
        assert_eq!(decoded(&jpeg).1, (usize::from(width), usize::from(height)));
    }
}

#[test]
fn a_long_image_is_long_by_its_scan() {
    for min_bytes in [0, 1, 700, 5_000, 20_000, 100_000, 400_000] {
        let jpeg = of_length(5, min_bytes);
        let markers = markers(&jpeg);
        assert_eq!(count(&markers, SOF0), 1);
        assert!(jpeg.len() >= min_bytes);
        let scan = jpeg
            .windows(2)
            .position(|pair| pair == [0xff, SOS])
            .expect("there is a scan");
        assert!(scan < 700, "{scan} bytes before the scan");
        decoded(&jpeg);
    }
}

#[test]
fn a_long_image_is_little_longer_than_asked() {
    for min_bytes in (5_000..60_000).step_by(2_777) {
        let length = of_length(5, min_bytes).len();
        let at_most = min_bytes + min_bytes / 5;
        assert!(
            (min_bytes..=at_most).contains(&length),
            "{length} for {min_bytes}"
        );
    }
}

#[test]
fn a_thumbnail_sits_whole_in_app1() {
    let (outer, inner) = (numbered(1), numbered(2));
    let jpeg = with_thumbnail(&outer, &inner);
    assert_eq!(&jpeg[..4], b"\xff\xd8\xff\xe1");
    let end = 4 + usize::from(u16::from_be_bytes([jpeg[4], jpeg[5]]));
    assert_eq!(&jpeg[6..12], b"Exif\0\0");
    let tiff = &jpeg[12..end];
    assert!(tiff.ends_with(&inner));
    // At the offset that the directory states.
    let offset = u32::from_le_bytes(tiff[48..52].try_into().expect("four bytes"));
    let length = u32::from_le_bytes(tiff[60..64].try_into().expect("four bytes"));
    let (offset, length) = (offset as usize, length as usize);
    assert_eq!(&tiff[offset..offset + length], &inner[..]);
    assert_eq!(&jpeg[end..], &outer[2..]);
    assert_eq!(number_of(&jpeg), Some(1));
    markers(&jpeg);
    assert_eq!(decoded(&jpeg), decoded(&outer));
}

#[test]
#[should_panic(expected = "65533 bytes")]
fn a_thumbnail_too_long_for_a_segment_panics() {
    let _ = with_thumbnail(&numbered(1), &of_length(2, 70_000));
}

#[test]
fn a_segment_comes_right_after_soi() {
    let outer = numbered(1);
    for (marker, payload) in [
        (0xe3, &b"abc"[..]),
        (0xfe, b""),
        (0xef, &[0xff; 65_533][..]),
    ] {
        let jpeg = with_segment(&outer, marker, payload);
        assert_eq!(jpeg.len(), outer.len() + 4 + payload.len());
        assert_eq!(markers(&jpeg)[..2], [SOI, marker]);
        assert_eq!(&jpeg[6..6 + payload.len()], payload);
        assert_eq!(number_of(&jpeg), Some(1));
    }
}

#[test]
fn without_tables_only_the_tables_are_missing() {
    for jpeg in [numbered(1), progressive(1)] {
        let full = markers(&jpeg);
        let bare = markers(&without_dht(&jpeg));
        assert!(count(&full, DHT) > 0);
        let expected: Vec<u8> = full.into_iter().filter(|marker| *marker != DHT).collect();
        assert_eq!(bare, expected);
    }
    assert_eq!(
        without_dht(&without_dht(&numbered(1))),
        without_dht(&numbered(1))
    );
}

#[test]
fn restarts_come_in_turn() {
    for interval in [1, 4, 12, 16, 17, 48, 300] {
        let jpeg = with_restarts(6, interval);
        let markers = markers(&jpeg);
        assert_eq!(count(&markers, DRI), 1);
        let restarts: Vec<u8> = markers
            .into_iter()
            .filter(|marker| (0xd0..=0xd7).contains(marker))
            .collect();
        assert!(restarts.len() >= 2, "interval {interval}: {restarts:02x?}");
        for (index, restart) in restarts.iter().enumerate() {
            assert_eq!(usize::from(restart - 0xd0), index % 8);
        }
        decoded(&jpeg);
    }
    assert_eq!(decoded(&with_restarts(6, 16)).1, (64, 48));
}

#[test]
fn progressive_has_several_scans() {
    let jpeg = progressive(4);
    let markers = markers(&jpeg);
    assert_eq!(count(&markers, SOF2), 1);
    assert_eq!(count(&markers, SOF0), 0);
    assert!(count(&markers, SOS) > 3);
    assert_eq!(decoded(&jpeg).1, (64, 48));
}

#[test]
fn number_in_a_table_is_read_and_no_other_table_has_one() {
    let picture = mjpeg_testkit::jpeg::RtspPicture {
        width: 64,
        height: 48,
        quality: 80,
        halves_lines: true,
        restart_interval: 0,
    };
    let plain = mjpeg_testkit::jpeg::rtsp_picture(1, picture);
    assert_eq!(mjpeg_testkit::jpeg::number_of(&plain), None);
    for number in [0, 1, 0xFEDC_BA98, u32::MAX] {
        let numbered = mjpeg_testkit::jpeg::with_table_number(&plain, number);
        assert_eq!(mjpeg_testkit::jpeg::number_of(&numbered), Some(number));
        decoded(&numbered);
    }
}
