//! Rendering parts.

use std::time::{Duration, SystemTime};

use mjpeg_codec::multipart::{Boundary, Layout, PartHeaders, render};

#[test]
fn timestamp_has_six_decimals() {
    let wall = SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000, 1_234_999);
    let part = render(
        &Boundary::default(),
        &PartHeaders::default().with_timestamp(wall),
        b"x",
    );
    let expected = "Content-Type: image/jpeg\r\nContent-Length: 1\r\nX-Timestamp: 1700000000.001234\r\n\r\n\
                    x\r\n--boundarydonotcross\r\n";
    assert_eq!(part.bytes(Layout::Trailing), expected);
}

#[test]
fn time_before_the_epoch_is_written_as_zero() {
    let wall = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
    let part = render(
        &Boundary::default(),
        &PartHeaders::default().with_timestamp(wall),
        b"",
    );
    assert!(
        part.bytes(Layout::Trailing)
            .windows(25)
            .any(|w| w == b"X-Timestamp: 0.000000\r\n\r\n")
    );
}

#[test]
fn boundary_is_checked() {
    let opening = Boundary::new("frame").unwrap().opening(Layout::Trailing);
    assert_eq!(opening, "--frame\r\n");
    assert!(Boundary::new(&"x".repeat(70)).is_ok());
    for bad in ["", "-x", "a b", "a;b", "a\"b", "a\r\nb", &"x".repeat(71)] {
        assert!(Boundary::new(bad).is_err(), "{bad:?}");
    }
}

/// The complete bytes that Chromium and WebKit show at once and that a canvas may read.
#[test]
fn headers_ahead_allow_every_origin_and_tell_no_length() {
    let boundary = Boundary::default();
    let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(5);
    let headers = PartHeaders::default().with_timestamp(wall);
    let ahead = "--boundarydonotcross\r\nContent-Type: image/jpeg\r\nAccess-Control-Allow-Origin: *\r\n\r\n";
    assert_eq!(boundary.opening(Layout::Advance), ahead);
    let part = render(&boundary, &headers, b"(image)");
    assert_eq!(part.bytes(Layout::Advance), format!("(image)\r\n{ahead}"));
}

#[test]
fn both_layouts_are_slices_of_one_buffer() {
    let part = render(&Boundary::default(), &PartHeaders::default(), b"(image)");
    let (trailing, advance) = (part.bytes(Layout::Trailing), part.bytes(Layout::Advance));
    let range = trailing.as_ptr_range();
    assert!(range.contains(&advance.as_ptr()));
    assert_eq!(
        part.size_bytes(),
        advance.as_ptr_range().end as usize - range.start as usize
    );
}
