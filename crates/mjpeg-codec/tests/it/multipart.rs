//! The bytes of a part.

use std::time::{Duration, SystemTime};

use mjpeg_codec::multipart::{Boundary, PartHeaders, render};

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
    assert_eq!(part, expected);
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
        part.windows(25)
            .any(|w| w == b"X-Timestamp: 0.000000\r\n\r\n")
    );
}

#[test]
fn boundary_is_checked() {
    assert_eq!(Boundary::new("frame").unwrap().opening(), "--frame\r\n");
    assert!(Boundary::new(&"x".repeat(70)).is_ok());
    for bad in ["", "-x", "a b", "a;b", "a\"b", "a\r\nb", &"x".repeat(71)] {
        assert!(Boundary::new(bad).is_err(), "{bad:?}");
    }
}
