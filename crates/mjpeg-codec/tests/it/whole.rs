//! Frames from bytes that are all there, and what `Debug` prints of them.

use bytes::Bytes;
use mjpeg_codec::{
    DiscardReason, ErrorKind, Found, Frame, Splitter,
    multipart::{Boundary, PartHeaders, render},
};
use mjpeg_testkit::jpeg;

/// The reason that a splitter gives for the first bytes of a stream.
fn splitters_reason(stream: &[u8]) -> DiscardReason {
    let mut splitter = Splitter::default();
    splitter.push(stream.to_vec());
    splitter.finish();
    match splitter.poll() {
        Some(Found::Discarded { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn cut_off_frame_is_refused_for_the_splitters_reason_at_every_cut() {
    let plain = jpeg::numbered(1);
    let with_thumbnail = jpeg::with_segment(&plain, 0xE1, &jpeg::numbered(2));
    let with_large_segment = jpeg::with_segment(&plain, 0xE3, &[7; 5000]);
    for whole in [
        plain,
        with_thumbnail,
        with_large_segment,
        jpeg::progressive(1),
    ] {
        for cut in 1..whole.len() {
            let stream = &whole[..cut];
            let kind = ErrorKind::NotAFrame(splitters_reason(stream));
            let kinds = [
                Frame::parse(stream.to_vec()).unwrap_err().kind,
                Frame::parse_prefix(stream.to_vec()).unwrap_err().kind,
                Frame::copy_prefix(stream).unwrap_err().kind,
            ];
            assert_eq!(kinds, [kind; 3], "cut at {cut}");
        }
    }
}

#[test]
fn frame_may_be_longer_than_the_splitters_default_limit() {
    let head = [
        0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0, 0xFF, 0xDA, 0, 8, 1, 1, 0, 0,
        63, 0,
    ];
    let long = [&head[..], &vec![0x2A; 17 << 20], &[0xFF, 0xD9]].concat();
    assert_eq!(Frame::copy_prefix(&long).unwrap().bytes(), &long);
    assert!(Frame::parse_prefix(long.clone()).is_ok());
    assert!(Frame::parse(long).is_ok());
}

#[test]
fn copied_prefix_keeps_the_memory_of_the_frame_alone() {
    for len in [3000, 300_000] {
        let image = jpeg::of_length(1, len);
        let mut capture = vec![0x55; 2 << 20];
        capture[..image.len()].copy_from_slice(&image);
        let frame = Frame::copy_prefix(&capture).unwrap();
        assert_eq!(frame, Frame::parse(image.clone()).unwrap());
        let memory = frame.into_bytes().try_into_mut().expect("nobody shares it");
        assert_eq!(memory.capacity(), image.len());
    }
}

#[test]
fn plain_image_is_the_splitters_without_a_copy() {
    let (plain, junk) = (jpeg::numbered(1), [0x55; 300]);
    let with_thumbnail = jpeg::with_segment(&plain, 0xE1, &jpeg::numbered(2));
    for image in [
        plain.clone(),
        with_thumbnail,
        jpeg::without_dht(&plain),
        jpeg::progressive(1),
        jpeg::with_restarts(1, 4),
        jpeg::of_length(1, 300_000),
    ] {
        let bytes = Bytes::from([&image[..], &junk].concat());
        let frame = Frame::parse_plain(bytes.clone()).expect("plain");
        assert_eq!(frame, Frame::parse_prefix(bytes.clone()).unwrap());
        assert_eq!(frame.memory_bytes(), bytes.len());
        assert_eq!(frame.bytes().as_ptr(), bytes.as_ptr(), "no copy");
        let (width, sof) = (frame.width(), frame.sof());
        let parsed = Frame::parse(image).unwrap();
        assert_eq!((width, sof), (parsed.width(), parsed.sof()));
        assert_eq!(frame.displayable(), parsed.displayable());
    }
}

#[test]
fn what_is_not_plain_is_returned_and_what_is_damaged_is_never_taken() {
    let image = jpeg::with_segment(&jpeg::numbered(1), 0xE1, &jpeg::numbered(2));
    for cut in 0..image.len() {
        let bytes = image.slice(..cut);
        assert_eq!(
            Frame::parse_plain(bytes.clone()),
            Err(bytes),
            "cut at {cut}"
        );
    }
    // With one byte changed, it takes what the splitter takes, or leaves it to that.
    for at in 0..image.len() {
        for value in [0x00, 0x10, 0xD8, 0xD9, 0xDA, 0xFF] {
            let mut bytes = image.to_vec();
            bytes[at] = value;
            let bytes = Bytes::from(bytes);
            if let Ok(frame) = Frame::parse_plain(bytes.clone()) {
                let parsed = Frame::parse_prefix(bytes);
                assert_eq!(Some(frame), parsed.ok(), "{value:02X} at {at}");
            }
        }
    }
    let mut many = jpeg::numbered(1);
    for _ in 0..100 {
        many = jpeg::with_segment(&many, 0xFE, b"comment");
    }
    assert!(Frame::parse_plain(many.clone()).is_err(), "that takes long");
    assert!(Frame::parse(many).is_ok());
}

#[test]
fn debug_prints_no_image() {
    let image = jpeg::sized(1, 640, 480);
    let len = image.len();
    let frame = Frame::parse(image.clone()).unwrap();
    let expected = format!("Frame {{ 640x480, {len} bytes, offset 0 }}");
    assert_eq!(format!("{frame:?}"), expected);
    let found = Found::Frame(frame);
    assert_eq!(format!("{found:?}"), format!("Frame({expected})"));
    let part = render(&Boundary::default(), &PartHeaders::default(), &image);
    let expected = format!("Part {{ {} bytes }}", part.size_bytes());
    assert_eq!(format!("{part:?}"), expected);
    let mut splitter = Splitter::default();
    splitter.push(image.slice(..len - 1));
    assert!(splitter.poll().is_none());
    let printed = format!("{splitter:?}");
    assert!(printed.contains(&format!("{} of ", len - 1)), "{printed}");
    assert!(printed.len() < 1500, "{printed}");
}
