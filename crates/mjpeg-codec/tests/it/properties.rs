//! Properties that hold for all streams.

use bytes::Bytes;
use mjpeg_codec::{DiscardReason, SplitterConfig};
use mjpeg_testkit::{Faults, jpeg};
use proptest::prelude::*;

use crate::check::{Expected, Frame, outcome};

fn frames_in(outcome: &[Expected]) -> Vec<Bytes> {
    let frame = |e: &Expected| {
        if let Frame(bytes) = e {
            Some(bytes.clone())
        } else {
            None
        }
    };
    outcome.iter().filter_map(frame).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn intact_frames_survive_seeded_faults(seed: u64, numbers in proptest::collection::vec(0u32..40, 1..12)) {
        let frames: Vec<Bytes> = numbers.iter().map(|&n| jpeg::numbered(n)).collect();
        let mut faults = Faults::new(seed);
        let damaged = faults.damage(&frames);
        let chunks = faults.chunks(&damaged.stream);
        let got = frames_in(&outcome(&SplitterConfig::default(), chunks.iter().map(|c| &c[..])));
        let intact: Vec<Bytes> = damaged.intact.iter().map(|&i| frames[i].clone()).collect();
        prop_assert_eq!(got, intact);
    }

    #[test]
    fn chunking_changes_nothing(pieces in proptest::collection::vec(piece(), 0..20), size in 1usize..50) {
        let stream = pieces.concat();
        let config = SplitterConfig::default().max_frame_bytes(4096);
        let whole = outcome(&config, stream.chunks(stream.len().max(1)));
        prop_assert_eq!(&whole, &outcome(&config, stream.chunks(size)));
        let covered: usize = whole.iter().map(|e| match e {
            Frame(bytes) => bytes.len(),
            Expected::Discarded(_, len) => *len,
        }).sum();
        prop_assert_eq!(covered, stream.len());
    }
}

/// Pieces that together look like a stream often enough to reach every state.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let frame = (0u32..20).prop_map(|n| jpeg::numbered(n).to_vec());
    let cut = (0u32..20, 0.0..1.0f64).prop_map(|(n, at)| {
        let frame = jpeg::numbered(n);
        frame[..(frame.len() as f64 * at) as usize].to_vec()
    });
    let marker = (0u8..=255).prop_map(|code| vec![0xFF, code]);
    let soi = Just(vec![0xFF, 0xD8, 0xFF]);
    let segment = (0xC0u8..=0xFF, 0u16..300).prop_map(|(code, len)| {
        [
            &[0xFF, code][..],
            &len.to_be_bytes(),
            &[0x11].repeat(usize::from(len) / 2),
        ]
        .concat()
    });
    prop_oneof![3 => frame, 2 => cut, 2 => marker, 1 => soi, 2 => segment, 1 => proptest::collection::vec(any::<u8>(), 0..40)]
}

#[test]
fn reasons_have_distinct_names() {
    let names: std::collections::BTreeSet<_> =
        DiscardReason::ALL.iter().map(|r| r.as_str()).collect();
    assert_eq!(names.len(), DiscardReason::ALL.len());
}
