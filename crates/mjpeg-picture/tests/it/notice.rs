//! The still picture with a message.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use mjpeg_picture::{Error, Notice};

use crate::decode::Decoded;

const REASON: &str = "cannot connect to 192.168.1.100:6001: connection refused";

fn notice(
    name: &str,
    reason: &str,
    since: SystemTime,
    width: u16,
    height: u16,
) -> Result<Bytes, Error> {
    let notice = Notice::new(name).with_text(reason).with_since(since);
    Ok(notice.with_size(width, height)?.render())
}

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

#[test]
fn since_is_a_line_of_ones_own_in_utc() {
    let since = Notice::new("garage").with_since(UNIX_EPOCH).render();
    let footer = Notice::new("garage").with_footer("since Thu, 01 Jan 1970 00:00:00 UTC");
    assert_eq!(since, footer.render());
}

#[test]
fn typographic_characters_show_as_plain_ones() {
    let picture = |text: &str| Notice::new(text).with_text(text).with_footer(text).render();
    let typographic = "\u{201C}it\u{2019}s\u{201D}\u{2009}\u{2013} off\u{2014}line\u{2026}";
    assert_eq!(picture(typographic), picture("\"it's\" - off-line..."));
    assert_ne!(picture("\u{2013}"), picture("?"));
}

#[test]
fn text_height_can_be_limited() {
    let written = |limit: Option<u16>, text: &str| {
        let mut notice = Notice::new("").with_text(text);
        if let Some(limit) = limit {
            notice = notice.with_max_text_height(limit);
        }
        Decoded::new(&notice.render())
    };
    let pixels = |limit| written(limit, "paused").differences(&written(limit, ""));
    assert!(pixels(Some(20)) > 20);
    assert!(pixels(Some(40)) > 2 * pixels(Some(20)));
    assert!(pixels(None) > 2 * pixels(Some(40)));
    assert_eq!(written(Some(0), "paused"), written(Some(6), "paused"));
    assert!(pixels(Some(6)) > 5);
}

#[test]
fn quality_is_85_unless_set() {
    let quality = |quality| Notice::new("garage").with_quality(quality);
    let rendered = |notice: Result<Notice, Error>| notice.expect("within bounds").render();
    assert_eq!(Notice::new("garage").render(), rendered(quality(85)));
    assert_ne!(Notice::new("garage").render(), rendered(quality(84)));
    assert_eq!(quality(0), Err(Error::Quality { quality: 0 }));
    assert_eq!(quality(101), Err(Error::Quality { quality: 101 }));
}
