//! Rendering parts.

use std::time::{Duration, SystemTime};

use mjpeg_codec::multipart::{AllowOrigin, Boundary, Layout, PartHeaders, render};

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
fn headers_ahead_allow_the_origin_of_their_stream() {
    let boundary = Boundary::default();
    let page = AllowOrigin::only("https://page.example").unwrap();
    for (origin, header) in [
        (
            &page,
            "Access-Control-Allow-Origin: https://page.example\r\n",
        ),
        (&AllowOrigin::NOBODY, ""),
    ] {
        let ahead = format!("--boundarydonotcross\r\nContent-Type: image/jpeg\r\n{header}\r\n");
        assert_eq!(boundary.opening_for(Layout::Advance, origin), ahead);
        let plain = boundary.opening_for(Layout::Trailing, origin);
        assert_eq!(plain, boundary.opening(Layout::Trailing));
        let headers = PartHeaders::default().with_allow_origin(origin.clone());
        let part = render(&boundary, &headers, b"(image)");
        assert_eq!(part.bytes(Layout::Advance), format!("(image)\r\n{ahead}"));
        let any = render(&boundary, &PartHeaders::default(), b"(image)");
        assert_eq!(part.bytes(Layout::Trailing), any.bytes(Layout::Trailing));
        assert!(part.is_same(&part.clone()) && !part.is_same(&any));
    }
    for (length, is_accepted) in [(0, false), (1, true), (512, true), (513, false)] {
        let origin = AllowOrigin::only(&"x".repeat(length));
        assert_eq!(origin.is_some(), is_accepted, "{length}");
    }
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
