//! Repairs of generated frames.

use mjpeg_codec::{
    Frame,
    repair::{Orientation, Repairs},
};
use mjpeg_testkit::jpeg;
use proptest::prelude::*;

use crate::naive::{self, frame, insert_before, pieces, segment};

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn repairs_are_those_of_the_plain_way(bytes in odd_frame(), repairs in repairs()) {
        let before = frame(&bytes);
        let (after, made) = before.repaired(repairs);
        prop_assert_eq!(&after.bytes()[..], naive::repair(&bytes, repairs));
        prop_assert_eq!(made == Repairs::NONE, after.bytes() == before.bytes());
        let again = repairs.with_orientation(Orientation::UPRIGHT);
        prop_assert_eq!(after.repaired(again), (after.clone(), Repairs::NONE));
        prop_assert!(after.bytes().len() <= bytes.len() + 458);
    }

    #[test]
    fn a_repaired_frame_parses_and_embeds_no_markers(bytes in odd_frame()) {
        let before = frame(&bytes);
        let after = Frame::parse(before.repaired(Repairs::RECOMMENDED).0.into_bytes());
        let after = after.expect("a frame");
        prop_assert_eq!((after.width(), after.height(), after.sof()), (before.width(), before.height(), before.sof()));
        for piece in pieces(after.bytes()) {
            prop_assert!(!piece.is_app_or_com() || !piece.embeds_markers());
        }
    }

    #[test]
    fn damage_that_still_parses_is_repaired_alike(
        bytes in odd_frame(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), byte()), 1..6),
        orientation in orientation(),
    ) {
        let mut bytes = bytes;
        for (at, value) in damage {
            // Mostly in the header, where it matters.
            let len = bytes.len().min(700);
            bytes[at.index(len)] = value;
        }
        let repairs = Repairs::RECOMMENDED.with_orientation(orientation);
        if let Ok(before) = Frame::parse_prefix(bytes) {
            let (after, _) = before.repaired(repairs);
            prop_assert_eq!(&after.bytes()[..], naive::repair(before.bytes(), repairs));
            let again = Frame::parse(after.into_bytes()).expect("a frame");
            prop_assert_eq!((again.width(), again.height()), (before.width(), before.height()));
        }
    }
}

fn repairs() -> impl Strategy<Value = Repairs> {
    (any::<[bool; 3]>(), orientation()).prop_map(|([tables, markers, eoi], orientation)| {
        Repairs::NONE
            .with_huffman_tables(tables)
            .with_embedded_markers(markers)
            .with_eoi(eoi)
            .with_orientation(orientation)
    })
}

fn orientation() -> impl Strategy<Value = Orientation> {
    (1u16..=8).prop_map(|value| Orientation::from_exif(value).unwrap())
}

/// A frame with free-form segments here and there, perhaps without tables, perhaps without EOI.
fn odd_frame() -> impl Strategy<Value = Vec<u8>> {
    let base = (0u32..6, any::<bool>()).prop_map(|(kind, bare)| {
        let jpeg = match kind {
            0 => jpeg::progressive(kind),
            1 => jpeg::with_restarts(kind, 4),
            _ => jpeg::numbered(kind),
        };
        if bare { jpeg::without_dht(&jpeg) } else { jpeg }
    });
    let inserted = (any::<prop::sample::Index>(), 0usize..3, odd_segment());
    let end = prop_oneof![
        3 => Just(None),
        1 => (0usize..3).prop_map(Some),
    ];
    let inserted = proptest::collection::vec(inserted, 0..6);
    (base, inserted, end).prop_map(|(base, inserted, end)| {
        let mut frame = base;
        for (place, fill, segment) in inserted {
            // Before any marker but SOI.
            let codes: Vec<u8> = pieces(&frame)[1..]
                .iter()
                .map(|p| p.code)
                .filter(|&code| code != 0)
                .collect();
            let place = place.index(codes.len());
            let code = codes[place];
            let nth = codes[..place].iter().filter(|&&c| c == code).count();
            let inserted = [&vec![0xFF; fill][..], &segment].concat();
            frame = insert_before(&frame, code, nth, &inserted);
        }
        let mut frame = frame.to_vec();
        if let Some(fill) = end {
            frame.truncate(frame.len() - 2);
            frame.extend(vec![0xFF; fill]);
        }
        frame
    })
}

fn odd_segment() -> impl Strategy<Value = Vec<u8>> {
    let code = prop_oneof![4 => 0xE0u8..=0xEF, 1 => Just(0xFE)];
    // About where the length itself begins to look like a marker.
    let long = (0xFFD5usize..0xFFDA, byte()).prop_map(|(length, first)| {
        let mut payload = vec![b' '; length - 2];
        payload[0] = first;
        payload
    });
    let jfif = short().prop_map(|rest| [&b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0"[..], &rest].concat());
    let free = (code, prop_oneof![20 => short(), 1 => long]);
    prop_oneof![
        8 => free.prop_map(|(code, payload)| segment(code, &payload)),
        1 => jfif.prop_map(|payload| segment(0xE0, &payload)),
        4 => exif().prop_map(|payload| segment(0xE1, &payload)),
    ]
}

/// The payload of an Exif segment, more or less: with the tag or without, in either byte order,
/// perhaps with an offset or a count that is wrong.
fn exif() -> impl Strategy<Value = Vec<u8>> {
    let offset = prop_oneof![6 => Just(8u32), 2 => 0u32..60, 1 => any::<u32>()];
    let count = prop_oneof![6 => Just(None), 1 => any::<u16>().prop_map(Some)];
    let tag = prop_oneof![3 => Just(0x0112u16), 2 => any::<u16>()];
    let kind = prop_oneof![6 => Just(3u16), 1 => 0u16..14];
    let entry = (
        tag,
        kind,
        prop_oneof![6 => Just(1u32), 1 => 0u32..3],
        0u16..12,
    );
    let entries = proptest::collection::vec(entry, 0..4);
    let cut = prop_oneof![6 => Just(None), 1 => any::<prop::sample::Index>().prop_map(Some)];
    (any::<bool>(), offset, count, entries, short(), cut).prop_map(
        |(is_big, offset, count, entries, rest, cut)| {
            let short = |n: u16| {
                if is_big {
                    n.to_be_bytes()
                } else {
                    n.to_le_bytes()
                }
            };
            let long = |n: u32| {
                if is_big {
                    n.to_be_bytes()
                } else {
                    n.to_le_bytes()
                }
            };
            let mut exif = b"Exif\0\0".to_vec();
            exif.extend(if is_big { b"MM" } else { b"II" });
            exif.extend(short(42));
            exif.extend(long(offset));
            exif.extend(short(count.unwrap_or(entries.len() as u16)));
            for (tag, kind, count, value) in entries {
                exif.extend([short(tag), short(kind)].concat());
                exif.extend(long(count));
                exif.extend([short(value), [0, 0]].concat());
            }
            exif.extend(rest);
            if let Some(cut) = cut {
                exif.truncate(cut.index(exif.len()));
            }
            exif
        },
    )
}

fn short() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(byte(), 0..40)
}

fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![
        3 => Just(0xFF),
        2 => Just(0xD8),
        2 => Just(0xD9),
        1 => Just(0x00),
        4 => any::<u8>(),
    ]
}
