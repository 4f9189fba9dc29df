//! The still picture that says something.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mjpeg_picture::{Error, notice};

use crate::decode::Decoded;

const REASON: &str = "cannot connect to 192.168.1.100:6001: connection refused";

fn look(name: &str, reason: &str, since: SystemTime) -> Decoded {
    Decoded::new(&notice(name, reason, since, 640, 480).expect("a size within bounds"))
}

#[test]
fn name_reason_and_time_each_have_their_place() {
    let plain = look("garage", REASON, UNIX_EPOCH);
    let an_hour_later = UNIX_EPOCH + Duration::from_secs(3600);
    let others = [
        (look("garden", REASON, UNIX_EPOCH), 10..36),
        (look("garage", "paused", UNIX_EPOCH), 45..77),
        (look("garage", REASON, an_hour_later), 80..94),
    ];
    for (other, place) in others {
        let whole = plain.differences(&other);
        let there = plain
            .part(place.clone(), 0..100)
            .differences(&other.part(place.clone(), 0..100));
        assert!(whole > 20, "{place:?} differs in {whole} pixels");
        assert_eq!(there, whole, "only {place:?} differs");
    }
}

#[test]
fn reason_takes_lines_where_one_would_be_small() {
    let look = look("garage", REASON, UNIX_EPOCH);
    let blank = self::look("garage", "", UNIX_EPOCH);
    let is_written =
        |rows: std::ops::Range<usize>| look.part(rows.clone(), 0..100) != blank.part(rows, 0..100);
    assert!([46..55, 56..65, 66..75].into_iter().all(is_written));
}

#[test]
fn any_size_and_any_text_will_do() {
    let long = "x".repeat(10_000);
    let many = "a ".repeat(10_000);
    for (width, height) in [(16, 16), (64, 64), (16, 8192), (160, 90), (1920, 1080)] {
        for text in ["", " ", "\n\t\u{7}", "日本語 ÄÖÜ", &long, &many] {
            let picture =
                notice(text, text, SystemTime::now(), width, height).expect("a size within bounds");
            let decoded = Decoded::new(&picture);
            assert_eq!(
                (decoded.width, decoded.height),
                (width.into(), height.into())
            );
        }
    }
    let far = [
        UNIX_EPOCH - Duration::from_secs(1),
        UNIX_EPOCH + Duration::from_secs(1 << 40),
    ];
    for since in far {
        assert!(notice("a", "b", since, 64, 64).is_ok());
    }
}

#[test]
fn size_out_of_bounds_is_refused() {
    let refused = Err(Error::Size {
        width: 15,
        height: 64,
    });
    assert_eq!(notice("a", "b", UNIX_EPOCH, 15, 64), refused);
}
