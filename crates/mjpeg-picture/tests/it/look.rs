//! The contents of the pictures, checked in the decoded pixels.
//!
//! From the top: 62 % bars with the name, 8 % track of the ball, 30 % panel with the clock and the
//! frame number.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mjpeg_picture::TestPicture;

use crate::decode::Decoded;

fn look(name: &str, (width, height): (u16, u16), frame_number: u64, wall: SystemTime) -> Decoded {
    Decoded::new(
        &TestPicture::new(name, width, height)
            .expect("a size within bounds")
            .render(frame_number, wall),
    )
}

#[test]
fn ball_moves_with_every_frame() {
    for size in [QQVGA, (16, 16), (16, 300), (300, 16)] {
        let track = |frame_number| look("cam", size, frame_number, UNIX_EPOCH).part(60..70, 0..100);
        // A hundred frames take the ball over the picture and back.
        let mut last = track(0);
        for frame_number in 1..100 {
            let next = track(frame_number);
            assert_ne!(next, last, "frame {frame_number} at {size:?}");
            last = next;
        }
    }
}

#[test]
fn ball_stays_on_its_track() {
    let above = |frame_number| look("cam", VGA, frame_number, UNIX_EPOCH).part(0..60, 0..100);
    for frame_number in [1, 20, 44, 45, 46, 89, 90, u64::MAX] {
        assert_eq!(
            above(frame_number).differences(&above(0)),
            0,
            "frame {frame_number}"
        );
    }
}

#[test]
fn frame_number_is_written_out() {
    // After 90 frames the ball is back where it was, so that only the number differs.
    for size in [VGA, QQVGA, SMALLEST_WITH_ALL_TEXT] {
        let (one, other) = (
            look("cam", size, 1, UNIX_EPOCH),
            look("cam", size, 91, UNIX_EPOCH),
        );
        assert_eq!(
            one.part(0..70, 0..100)
                .differences(&other.part(0..70, 0..100)),
            0,
            "{size:?}"
        );
        assert_ne!(
            one.part(70..100, 0..100)
                .differences(&other.part(70..100, 0..100)),
            0,
            "{size:?}"
        );
    }
}

#[test]
fn largest_frame_number_keeps_its_last_digit() {
    let (one, other) = (
        look("cam", VGA, 0, UNIX_EPOCH),
        look("cam", VGA, u64::MAX, UNIX_EPOCH),
    );
    assert_ne!(
        one.part(85..100, 0..30)
            .differences(&other.part(85..100, 0..30)),
        0
    );
    let panel = |frame_number| look("cam", VGA, frame_number, UNIX_EPOCH).part(85..100, 0..100);
    assert_ne!(panel(u64::MAX - 1).differences(&panel(u64::MAX)), 0);
}

#[test]
fn clock_shows_each_millisecond() {
    for size in [VGA, QQVGA, SMALLEST_WITH_ALL_TEXT] {
        let at = |millis| look("cam", size, 5, UNIX_EPOCH + Duration::from_millis(millis));
        let (one, other) = (at(1), at(2));
        assert_eq!(
            one.part(0..70, 0..100)
                .differences(&other.part(0..70, 0..100)),
            0,
            "{size:?}"
        );
        assert_ne!(
            one.part(70..100, 0..100)
                .differences(&other.part(70..100, 0..100)),
            0,
            "{size:?}"
        );
    }
}

#[test]
fn clock_shows_the_time_of_day_alone() {
    let noon = UNIX_EPOCH + Duration::from_secs(12 * 60 * 60);
    let next_noon = noon + Duration::from_secs(24 * 60 * 60);
    assert_eq!(look("cam", VGA, 5, noon), look("cam", VGA, 5, next_noon));
}

#[test]
fn name_is_written_on_the_bars() {
    for size in [VGA, QQVGA, SMALLEST_WITH_ALL_TEXT] {
        // The inside of the plate: neither the bars nor the coloured line reach into it.
        let plate = |name| look(name, size, 5, UNIX_EPOCH).part(20..38, 42..58);
        assert_eq!(plate("gate").differences(&plate("gate")), 0, "{size:?}");
        assert_ne!(plate("gate").differences(&plate("yard")), 0, "{size:?}");
    }
}

#[test]
fn short_name_is_large() {
    // Four letters fill at least a third of the width: their outer edges differ from the bare bars.
    let (named, bare) = (
        look("gate", VGA, 5, UNIX_EPOCH),
        look("", VGA, 5, UNIX_EPOCH),
    );
    for columns in [33..37, 63..67] {
        let part = |picture: &Decoded| picture.part(20..38, columns.clone());
        assert_ne!(
            part(&named).differences(&part(&bare)),
            0,
            "columns {columns:?}"
        );
    }
}

#[test]
fn long_name_stays_inside_the_bars() {
    let long = "W".repeat(300);
    for size in [VGA, QQVGA, (64, 48), (20, 1000), (1000, 20)] {
        let (named, bare) = (
            look(&long, size, 5, UNIX_EPOCH),
            look("", size, 5, UNIX_EPOCH),
        );
        for columns in [0..2, 98..100] {
            let part = |picture: &Decoded| picture.part(0..60, columns.clone());
            assert_eq!(
                part(&named).differences(&part(&bare)),
                0,
                "columns {columns:?} of {size:?}"
            );
        }
    }
    let plate = |name: &str| look(name, VGA, 5, UNIX_EPOCH).part(20..38, 42..58);
    assert_ne!(plate(&long).differences(&plate("")), 0);
}

#[test]
fn name_is_cut_after_64_characters() {
    let end = |name: &str| look(name, VGA, 5, UNIX_EPOCH).part(20..35, 75..95);
    let (start, whole) = ("W".repeat(62), "W".repeat(64));
    assert_ne!(end(&format!("{start}xx")).differences(&end(&whole)), 0);
    assert_eq!(
        end(&format!("{start}xxx")).differences(&end(&format!("{start}yyy"))),
        0
    );
    assert_eq!(
        end(&format!("{start}xxx")).differences(&end(&format!("{start}.."))),
        0
    );
}

#[test]
fn character_without_a_glyph_is_a_question_mark() {
    let plate = |name| look(name, VGA, 5, UNIX_EPOCH).part(20..38, 42..58);
    for name in ["a\u{1F3A5}b", "a\nb", "a\0b", "a\rb"] {
        assert_eq!(plate(name).differences(&plate("a?b")), 0, "{name:?}");
    }
    assert_ne!(plate("a\u{FC}b").differences(&plate("a?b")), 0);
}

const VGA: (u16, u16) = (640, 480);
const QQVGA: (u16, u16) = (160, 120);
const SMALLEST_WITH_ALL_TEXT: (u16, u16) = (80, 60);
