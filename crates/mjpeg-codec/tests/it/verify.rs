//! Frames that are complete, damaged, or not checked.

use bytes::Bytes;
use mjpeg_codec::{
    Frame,
    verify::{Damage, Flaw, NotChecked, Verdict},
};
use mjpeg_testkit::jpeg;
use proptest::prelude::*;

#[track_caller]
pub(crate) fn verdict(bytes: impl Into<Bytes>) -> Verdict {
    Frame::parse(bytes).unwrap().verify()
}

#[track_caller]
pub(crate) fn damage(bytes: impl Into<Bytes>) -> Damage {
    match verdict(bytes) {
        Verdict::Damaged(damage) => damage,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub(crate) fn flaw(bytes: impl Into<Bytes>) -> Flaw {
    damage(bytes).flaw
}

pub(crate) const COMPLETE: Verdict = complete(0);

pub(crate) const fn complete(surplus_bytes: usize) -> Verdict {
    Verdict::Complete { surplus_bytes }
}

/// Returns the range of the entropy-coded data of a frame's only scan.
fn scan(jpeg: &[u8]) -> std::ops::Range<usize> {
    let sos = jpeg.windows(2).position(|w| w == [0xFF, 0xDA]).unwrap();
    sos + 2 + usize::from(jpeg[sos + 3])..jpeg.len() - 2
}

/// Returns the places of the restart markers of a frame's only scan.
fn restarts(jpeg: &[u8]) -> Vec<usize> {
    let scan = scan(jpeg);
    let is_restart = |&at: &usize| jpeg[at] == 0xFF && matches!(jpeg[at + 1], 0xD0..=0xD7);
    scan.filter(is_restart).collect()
}

#[test]
fn whole_frames_of_every_kind_are_complete() {
    for number in 0..20 {
        assert_eq!(verdict(jpeg::numbered(number)), COMPLETE);
    }
    for (width, height) in [(1, 1), (16, 16), (17, 9), (161, 121), (640, 480)] {
        assert_eq!(verdict(jpeg::sized(1, width, height)), COMPLETE);
    }
    for interval in [1, 2, 7, 100] {
        assert_eq!(verdict(jpeg::with_restarts(1, interval)), COMPLETE);
    }
    // Noise has long codes, and blocks up to the last coefficient.
    for min_bytes in [3_000, 20_000, 100_000] {
        assert_eq!(verdict(jpeg::of_length(1, min_bytes)), COMPLETE);
    }
    let with_thumbnail = jpeg::with_thumbnail(&jpeg::numbered(1), &jpeg::sized(2, 16, 16));
    assert_eq!(verdict(with_thumbnail), COMPLETE);
}

#[test]
fn frame_without_huffman_tables_is_read_with_the_typical_ones() {
    let frame = jpeg::without_dht(&jpeg::of_length(1, 20_000));
    assert_eq!(verdict(frame.clone()), COMPLETE);
    let cut = [&frame[..frame.len() / 2], &[0xFF, 0xD9]].concat();
    assert_eq!(flaw(cut), Flaw::Truncated);
}

#[test]
fn frame_cut_anywhere_in_its_scan_is_damaged() {
    let frames = [
        jpeg::numbered(1),
        jpeg::with_restarts(1, 1),
        jpeg::of_length(1, 3000),
    ];
    for frame in frames {
        for at in scan(&frame) {
            let damage = damage([&frame[..at], &[0xFF, 0xD9]].concat());
            assert_eq!(damage.flaw, Flaw::Truncated, "cut at {at}");
            assert!(damage.mcus < damage.expected_mcus, "cut at {at}");
            assert!(damage.offset.abs_diff(at) <= 2, "cut at {at}: {damage}");
        }
    }
}

#[test]
fn damage_tells_how_far_the_picture_goes() {
    // 48 MCUs of one block per component.
    let frame = jpeg::with_restarts(1, 8);
    let third = restarts(&frame)[2];
    let cut = [&frame[..third], &[0xFF, 0xD9]].concat();
    let damage = damage(cut);
    assert_eq!((damage.mcus, damage.expected_mcus), (24, 48));
    assert_eq!(
        damage.to_string(),
        format!("truncated at byte {third}, after 24 of 48 MCUs")
    );
}

#[test]
fn restart_marker_removed_doubled_or_renumbered_is_found() {
    for frame in [jpeg::with_restarts(1, 1), jpeg::with_restarts(1, 4)] {
        let markers = restarts(&frame);
        assert!(markers.len() > 9, "the numbers start again at 0");
        for at in markers {
            let mut changed = frame.to_vec();
            changed.drain(at..at + 2);
            assert_eq!(flaw(changed), Flaw::Restart, "removed at {at}");

            let mut changed = frame.to_vec();
            changed.splice(at..at, [0xFF, frame[at + 1]]);
            assert_eq!(flaw(changed), Flaw::Restart, "doubled at {at}");

            for other in 1..8 {
                let mut changed = frame.to_vec();
                changed[at + 1] = 0xD0 | (frame[at + 1] + other) & 7;
                assert_eq!(flaw(changed), Flaw::Restart, "renumbered at {at}");
            }
        }
    }
}

#[test]
fn restart_interval_cut_short_is_found() {
    let frame = jpeg::with_restarts(1, 8);
    let second = restarts(&frame)[1];
    let mut changed = frame.to_vec();
    changed.drain(second - 20..second);
    let damage = damage(changed);
    assert_eq!(damage.flaw, Flaw::Truncated);
    assert!((8..16).contains(&damage.mcus), "{damage}");
}

#[test]
fn restart_marker_without_restart_interval_is_found() {
    let frame = jpeg::numbered(1);
    let middle = frame.len() - 200;
    let changed = [&frame[..middle], &[0xFF, 0xD0], &frame[middle..]].concat();
    assert_eq!(flaw(changed), Flaw::Restart);
}

#[test]
fn fill_bytes_belong_to_markers() {
    let frame = jpeg::with_restarts(1, 8);
    let mut filled = frame.to_vec();
    filled.splice(frame.len() - 2..frame.len() - 2, [0xFF; 5]);
    for at in restarts(&frame).into_iter().rev() {
        filled.splice(at..at, [0xFF; 3]);
    }
    assert_eq!(verdict(filled), COMPLETE);
}

#[test]
fn padding_is_no_surplus() {
    let frame = jpeg::with_restarts(1, 8);
    let mut padded = frame.to_vec();
    padded.splice(frame.len() - 2..frame.len() - 2, [0, 0, 0]);
    for at in restarts(&frame).into_iter().rev() {
        // As a Logitech webcam does: eight ones, with their stuffed zero.
        padded.splice(at..at, [0xFF, 0]);
    }
    assert_eq!(verdict(padded), COMPLETE);
}

#[test]
fn surplus_bytes_are_counted() {
    let frame = jpeg::with_restarts(1, 8);
    let mut longer = frame.to_vec();
    longer.splice(frame.len() - 2..frame.len() - 2, [1, 2, 3, 0, 0xFF, 0]);
    let third = restarts(&frame)[2];
    longer.splice(third..third, [7; 4]);
    assert_eq!(verdict(longer), complete(7));
}

#[test]
fn names_are_distinct_and_stable() {
    let flaws: Vec<_> = Flaw::ALL.iter().map(|flaw| flaw.as_str()).collect();
    let expected = [
        "truncated",
        "restart",
        "bad_code",
        "long_block",
        "missing_component",
        "header",
    ];
    assert_eq!(flaws, expected);
    let reasons: Vec<_> = NotChecked::ALL
        .iter()
        .map(|reason| reason.as_str())
        .collect();
    let expected = [
        "progressive",
        "arithmetic",
        "lossless",
        "hierarchical",
        "components",
        "height",
    ];
    assert_eq!(reasons, expected);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_frames_have_a_verdict(
        frame in frame(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), byte()), 0..8),
        lost in proptest::option::of((any::<prop::sample::Index>(), 1usize..100)),
    ) {
        let mut bytes = frame.to_vec();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some((at, count)) = lost {
            let at = at.index(bytes.len());
            bytes.drain(at..(at + count).min(bytes.len()));
        }
        if let Ok(frame) = Frame::parse(bytes)
            && let Verdict::Damaged(damage) = frame.verify()
        {
            prop_assert!(damage.offset <= frame.bytes().len());
            prop_assert!(damage.mcus <= damage.expected_mcus);
        }
    }

    #[test]
    fn frame_that_was_cut_is_never_complete(frame in frame(), at: prop::sample::Index) {
        let scan = scan(&frame);
        let at = scan.start + at.index(scan.len());
        let cut = Frame::parse([&frame[..at], &[0xFF, 0xD9]].concat()).unwrap();
        prop_assert!(matches!(cut.verify(), Verdict::Damaged(_)));
    }
}

fn frame() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        (0u32..40).prop_map(jpeg::numbered),
        (0u32..40).prop_map(|number| jpeg::without_dht(&jpeg::numbered(number))),
        (0u32..40, 1u16..9).prop_map(|(number, interval)| jpeg::with_restarts(number, interval)),
        (0u32..40).prop_map(|number| jpeg::of_length(number, 12_000)),
    ]
}

fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![4 => any::<u8>(), 1 => Just(0xFF), 1 => Just(0x00), 2 => 0xC0u8..=0xDF]
}
