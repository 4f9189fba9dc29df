//! Arguments: which are refused, and which must never panic.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mjpeg_picture::{Error, TestPicture};

use crate::decode::Decoded;

#[test]
fn sides_are_bounded() {
    for (width, height) in [(16, 16), (16, 8192), (8192, 16)] {
        assert!(
            TestPicture::new("cam", width, height).is_ok(),
            "{width}x{height}"
        );
    }
    for (width, height) in [
        (15, 16),
        (16, 15),
        (8193, 16),
        (16, 8193),
        (0, 0),
        (65535, 65535),
    ] {
        let error = TestPicture::new("cam", width, height).unwrap_err();
        assert_eq!(error, Error::Size { width, height });
    }
    assert_eq!((TestPicture::MIN_SIDE, TestPicture::MAX_SIDE), (16, 8192));
}

#[test]
fn refusal_names_the_size_and_the_bounds() {
    let error = TestPicture::new("cam", 15, 480).unwrap_err();
    assert_eq!(error.to_string(), "15x480 is outside 16x16 to 8192x8192");
}

#[test]
fn same_arguments_give_the_same_bytes() {
    let render = || {
        TestPicture::new("cam", 161, 121)
            .unwrap()
            .with_quality(60)
            .unwrap()
            .render(12, UNIX_EPOCH)
    };
    assert_eq!(render(), render());
}

#[test]
fn rendering_leaves_the_picture_as_it_was() {
    let picture = TestPicture::new("cam", 160, 120).unwrap();
    let first = picture.render(1, UNIX_EPOCH);
    picture.render(30, UNIX_EPOCH + Duration::from_secs(1));
    assert_eq!(picture.render(1, UNIX_EPOCH), first);
}

#[test]
fn quality_is_bounded_by_1_and_100() {
    let picture = TestPicture::new("cam", 64, 48).unwrap();
    let render = |quality| {
        let picture = picture.clone().with_quality(quality).unwrap();
        assert_eq!(picture.quality(), quality);
        picture.render(1, UNIX_EPOCH)
    };
    assert_ne!(render(1), render(2));
    assert_ne!(render(99), render(100));
    for quality in [0, 101] {
        let error = picture.clone().with_quality(quality).unwrap_err();
        assert_eq!(error, Error::Quality { quality });
    }
    assert!(render(20).len() < render(90).len());
}

#[test]
fn quality_is_75_unless_set() {
    let picture = TestPicture::new("cam", 64, 48).unwrap();
    let unset = picture.render(1, UNIX_EPOCH);
    let set = |quality| picture.clone().with_quality(quality).unwrap();
    assert_eq!(unset, set(75).render(1, UNIX_EPOCH));
    assert_ne!(unset, set(76).render(1, UNIX_EPOCH));
}

#[test]
fn any_name_renders() {
    let long = "x".repeat(300);
    let wide = "\u{1F3A5}".repeat(300);
    let names = [
        "",
        " ",
        &long,
        &wide,
        "\u{1F468}\u{200D}\u{1F469}",
        "e\u{301}",
        "\n\r\t\0\u{7F}",
        "\u{202E}abc",
    ];
    for name in names {
        for (width, height) in [(640, 480), (160, 120), (16, 16), (24, 200)] {
            let jpeg = TestPicture::new(name, width, height)
                .unwrap()
                .render(3, UNIX_EPOCH);
            let decoded = Decoded::new(&jpeg);
            assert_eq!(
                (decoded.width, decoded.height),
                (width.into(), height.into()),
                "{name:?}"
            );
        }
    }
}

#[test]
fn any_frame_number_and_time_render() {
    let picture = TestPicture::new("cam", 160, 120).unwrap();
    let years = Duration::from_secs(60 * 60 * 24 * 365);
    let times: [Option<SystemTime>; 4] = [
        UNIX_EPOCH.checked_sub(Duration::from_nanos(1)),
        UNIX_EPOCH.checked_sub(years * 100_000),
        UNIX_EPOCH.checked_add(years * 100_000),
        UNIX_EPOCH.checked_add(Duration::from_secs(i64::MAX as u64)),
    ];
    // Not every platform can hold the far ones.
    for wall in times.into_iter().flatten() {
        for frame_number in [0, 1, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let decoded = Decoded::new(&picture.render(frame_number, wall));
            assert_eq!((decoded.width, decoded.height), (160, 120));
        }
    }
}
