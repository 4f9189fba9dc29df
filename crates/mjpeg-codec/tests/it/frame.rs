//! The contents of a frame's header.

use mjpeg_codec::{DiscardReason, ErrorKind, Found, Frame, Splitter, repair::Repairs};
use mjpeg_testkit::jpeg;

#[test]
fn header_tells_size_and_coding() {
    let frame = Frame::parse(jpeg::sized(1, 161, 121)).unwrap();
    assert_eq!((frame.width(), frame.height()), (161, 121));
    assert_eq!(
        (frame.sof(), frame.precision_bits(), frame.components()),
        (0xC0, 8, 3)
    );
    assert_eq!(Frame::parse(jpeg::progressive(1)).unwrap().sof(), 0xC2);
}

#[test]
fn parse_keeps_the_callers_buffer() {
    let bytes = jpeg::numbered(1);
    let frame = Frame::parse(bytes.clone()).unwrap();
    assert_eq!(frame.bytes().as_ptr(), bytes.as_ptr());
}

#[test]
fn memory_is_that_of_the_buffer_a_frame_keeps() {
    let split = |jpeg: &[u8]| {
        let mut splitter = Splitter::default();
        splitter.push(jpeg.to_vec());
        let Some(Found::Frame(frame)) = splitter.poll() else {
            panic!("no frame");
        };
        frame
    };
    let small = jpeg::numbered(1);
    assert_eq!(split(&small).memory_bytes(), small.len());
    let long = jpeg::of_length(1, 100 << 10);
    let frame = split(&long);
    let bounds = long.len() + 1..=3 * long.len() + 2;
    assert!(bounds.contains(&frame.memory_bytes()), "{frame:?}");
    assert_eq!(
        frame,
        Frame::parse(long).unwrap(),
        "equal in another buffer"
    );

    let padded = [&small[..], &[0; 1000]].concat();
    let copy = Frame::copy_prefix(&padded).unwrap();
    assert_eq!(copy.memory_bytes(), small.len());
    let frame = Frame::parse_prefix(padded.clone()).unwrap();
    assert_eq!(frame.memory_bytes(), padded.len());
    let (same, _) = frame.repaired(Repairs::NONE);
    assert_eq!(same.memory_bytes(), padded.len());
    let bare = jpeg::without_dht(&small);
    let (repaired, _) = Frame::parse_prefix([&bare[..], &[0; 10_000]].concat())
        .unwrap()
        .repaired(Repairs::RECOMMENDED);
    let bounds = repaired.bytes().len()..small.len() + 1000;
    assert!(bounds.contains(&repaired.memory_bytes()), "{repaired:?}");
}

#[test]
fn parse_refuses_what_is_not_exactly_one_frame() {
    let jpeg = jpeg::numbered(1);
    let kind = |bytes: &[u8]| Frame::parse(bytes.to_vec()).unwrap_err().kind;
    assert_eq!(kind(b""), ErrorKind::NotAFrame(DiscardReason::Truncated));
    assert_eq!(kind(b"text"), ErrorKind::NotAFrame(DiscardReason::Garbage));
    assert_eq!(
        kind(&jpeg[..jpeg.len() - 1]),
        ErrorKind::NotAFrame(DiscardReason::Truncated)
    );
    let trailing = Frame::parse([&jpeg[..], b"x"].concat()).unwrap_err();
    assert_eq!(
        (trailing.kind, trailing.offset),
        (ErrorKind::TrailingBytes, jpeg.len() as u64)
    );
    assert_eq!(
        trailing.to_string(),
        format!("bytes follow the frame's EOI at byte {}", jpeg.len())
    );
}

#[test]
fn displayable_is_what_browsers_decode() {
    let jpeg = jpeg::numbered(1);
    let sof = jpeg.windows(2).position(|w| w == [0xFF, 0xC0]).unwrap();
    let with = |at: usize, value: u8| {
        let mut bytes = jpeg.to_vec();
        bytes[sof + at] = value;
        Frame::parse(bytes).unwrap()
    };
    assert!(Frame::parse(jpeg.clone()).unwrap().displayable());
    assert!(Frame::parse(jpeg::progressive(1)).unwrap().displayable());
    assert!(with(1, 0xC1).displayable(), "extended sequential");
    assert!(!with(1, 0xC3).displayable(), "lossless");
    assert!(!with(1, 0xC9).displayable(), "arithmetic");
    assert!(!with(4, 12).displayable(), "12 bit");
    let mut two_headers = jpeg.to_vec();
    let second: Vec<u8> = jpeg[sof..sof + 19].to_vec();
    two_headers.splice(sof..sof, second);
    // DHP announces a hierarchical image; its payload has the form of a frame header's (T.81
    // B.3.2).
    let mut announcement: Vec<u8> = jpeg[sof..sof + 19].to_vec();
    announcement[1] = 0xDE;
    two_headers.splice(sof..sof, announcement);
    assert!(
        !Frame::parse(two_headers).unwrap().displayable(),
        "two frame headers"
    );
    let mut told_by_dnl = jpeg[..jpeg.len() - 2].to_vec();
    told_by_dnl[sof + 5..sof + 7].fill(0);
    told_by_dnl.extend([0xFF, 0xDC, 0, 4, 0, 48, 0xFF, 0xD9]);
    let told_by_dnl = Frame::parse(told_by_dnl).unwrap();
    assert_eq!(
        (told_by_dnl.height(), told_by_dnl.displayable()),
        (48, false),
        "height told by DNL"
    );
    let two_components = [
        0xFF, 0xD8, 0xFF, 0xC0, 0, 14, 8, 0, 8, 0, 8, 2, 1, 0x11, 0, 2, 0x11, 0, 0xFF, 0xDA, 0, 8,
        1, 1, 0, 0, 63, 0, 0x2A, 0xFF, 0xD9,
    ];
    assert!(
        !Frame::parse(two_components.to_vec()).unwrap().displayable(),
        "two components"
    );
    let mut no_height = jpeg.to_vec();
    no_height[sof + 5..sof + 7].fill(0);
    assert!(
        !Frame::parse(no_height).unwrap().displayable(),
        "height never told"
    );
}
