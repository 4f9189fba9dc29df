//! The same work in slices: the outcome is the same, and each slice has a bound.

use bytes::Bytes;
use mjpeg_codec::{
    Found, Frame, MissingEoi, Polled, Splitter, SplitterConfig,
    multipart::{Parser, ParserConfig},
    repair::{Orientation, Repairer, Repairs},
    verify::{Verdict, Verifier},
};
use mjpeg_testkit::jpeg;
use proptest::{collection::vec, prelude::*};

use crate::{corpus, naive};

const SOI: &[u8] = &[0xFF, 0xD8];
const SOF: &[u8] = &[0xFF, 0xC0, 0, 11, 8, 0xFF, 0xF8, 0xFF, 0xF8, 1, 1, 0x11, 0];
const SOS: &[u8] = &[0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0];

/// Returns what comes out, and how often it was interrupted.
fn sliced(mut poll: impl FnMut(&mut usize) -> Polled, slice: usize) -> (Vec<Found>, usize) {
    let (mut found, mut interruptions, mut work) = (Vec::new(), 0, slice);
    loop {
        match poll(&mut work) {
            Polled::Found(event) => found.push(event),
            Polled::NeedMore => return (found, interruptions),
            Polled::Busy => {
                assert_eq!(work, 0);
                (interruptions, work) = (interruptions + 1, slice);
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Streams that keep a splitter busy for long, each in one piece.
fn expensive_streams() -> Vec<Vec<u8>> {
    const STREAM_BYTES: usize = 500_000;
    let header = [SOI, SOF].concat();
    let scan = [SOI, SOF, SOS].concat();
    let megabytes = |once: &[u8], pattern: &[u8]| {
        let again = pattern.repeat(STREAM_BYTES / pattern.len());
        [once, &again].concat()
    };
    vec![
        megabytes(&header, &[0xFF]),
        megabytes(&header, &[0xFF, 0xE0, 0, 2]),
        megabytes(&scan, &[0xFF, 0xD0]),
        megabytes(&scan, &[0x2A]),
        [megabytes(&scan, b"\n--\x01"), jpeg::numbered(1).to_vec()].concat(),
        megabytes(&[], &[0xFF, 0xD8, 0xFF, 0xE0, 0xFF, 0xFF]),
        megabytes(&[], &scan),
        megabytes(&[], b"\n"),
        megabytes(b"--f\r\n", b"X-Timestamp: 1\n"),
    ]
}

#[test]
fn streams_give_the_same_in_slices_however_expensive_they_are() {
    for stream in expensive_streams() {
        let config = SplitterConfig::default().with_missing_eoi(MissingEoi::Accept);
        let mut outcomes = Vec::new();
        for slice in [usize::MAX, 1 << 16, 10_000] {
            let mut splitter = Splitter::new(config.clone());
            splitter.push(stream.clone());
            let (mut found, interruptions) = sliced(|work| splitter.poll_within(work), slice);
            splitter.finish();
            found.extend(sliced(|work| splitter.poll_within(work), slice).0);
            assert!(
                slice == usize::MAX || interruptions >= 3,
                "{slice}: {interruptions}"
            );
            let mut parser = Parser::new(ParserConfig::default().with_splitter(config.clone()));
            parser.push(stream.clone());
            parser.finish();
            let parts = sliced(|work| parser.poll_within(work), slice).0;
            outcomes.push((found, parts));
        }
        assert!(outcomes[0] == outcomes[1] && outcomes[0] == outcomes[2]);
    }
}

/// The work counted for the tests of the bound, which no slice exceeds by much.
#[cfg(feature = "__fuzzing")]
#[test]
fn no_slice_does_much_more_than_it_may() {
    use mjpeg_codec::fuzzing;

    for stream in expensive_streams() {
        let mut parser = Parser::default();
        parser.push(stream.clone());
        let mut splitter = Splitter::default();
        splitter.push(stream);
        splitter.finish();
        parser.finish();
        let (slice, most) = (64 << 10, (64 + 320) << 10);
        let check = |poll: &mut dyn FnMut(&mut usize) -> Polled| {
            loop {
                let before = fuzzing::work();
                let mut work = slice;
                let polled = poll(&mut work);
                let done = fuzzing::work() - before;
                assert!(done <= most, "{done}");
                if polled == Polled::NeedMore {
                    break;
                }
            }
        };
        check(&mut |work| splitter.poll_within(work));
        check(&mut |work| parser.poll_within(work));
    }
}

fn verified(frame: &Frame, slice: usize) -> (Verdict, usize) {
    let mut verifier = Verifier::new(frame);
    let mut slices = 1;
    loop {
        match verifier.step(slice) {
            Some(verdict) => return (verdict, slices),
            None => slices += 1,
        }
    }
}

fn all_repairs() -> Repairs {
    Repairs::RECOMMENDED.with_orientation(Orientation::new(90, false).unwrap())
}

fn repaired(frame: &Frame, slice: usize) -> ((Frame, Repairs), usize) {
    let mut repairer = Repairer::new(frame, all_repairs());
    let mut slices = 1;
    loop {
        match repairer.step(slice) {
            Some(repaired) => return (repaired, slices),
            None => slices += 1,
        }
    }
}

#[test]
fn frames_made_to_take_long_are_verified_and_repaired_in_slices() {
    let frame = |head: &[u8], data: &[u8]| {
        Frame::parse([head, data, &[0xFF, 0xD9]].concat()).expect("a frame")
    };
    let head = [SOI, SOF, SOS].concat();
    for (name, frame) in [
        // The shortest blocks.
        ("blocks", frame(&head, &[0x2A; 500_000])),
        ("fill", frame(&head, &[&[0xFF; 500_000][..], &[0]].concat())),
        (
            "surplus",
            frame(
                &[SOI, &[0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0], SOS].concat(),
                &[0x2A; 500_000],
            ),
        ),
        (
            "comments",
            frame(
                &[
                    SOI,
                    &[0xFF, 0xFE, 0, 4, 0xFF, 0xD8].repeat(50_000),
                    SOF,
                    SOS,
                ]
                .concat(),
                &[],
            ),
        ),
        (
            "JFIF",
            frame(
                &[
                    SOI,
                    &naive::segment(0xE0, &[0; 60_000]).repeat(20),
                    SOF,
                    SOS,
                ]
                .concat(),
                &[],
            ),
        ),
        (
            "late comment",
            frame(
                &head,
                &[&[0x2A; 500_000][..], &[0xFF, 0xFE, 0, 4, 0xFF, 0xD8]].concat(),
            ),
        ),
        ("restarts", frame(&head, &[0xFF, 0xD0].repeat(250_000))),
    ] {
        let (verdict, _) = verified(&frame, usize::MAX);
        assert_eq!(frame.verify(), verdict, "{name}");
        let (in_slices, slices) = verified(&frame, 100_000);
        assert_eq!(in_slices, verdict, "{name}");
        assert!(slices >= 3, "{name}: {slices}");
        let (whole, _) = repaired(&frame, usize::MAX);
        assert!(frame.repaired(all_repairs()) == whole, "{name}");
        let (in_slices, slices) = repaired(&frame, 100_000);
        assert!(in_slices == whole, "{name}");
        assert!(slices >= 3, "{name}: {slices}");
    }
}

#[test]
fn frames_of_cameras_are_verified_and_repaired_alike_in_slices() {
    for name in corpus::names().unwrap_or_default() {
        for bytes in corpus::frames(&name).into_iter().take(20) {
            let frame = Frame::parse(bytes).unwrap();
            assert_eq!(verified(&frame, 1).0, frame.verify(), "{name}");
            let whole = frame.repaired(all_repairs());
            assert!(repaired(&frame, 1).0 == whole, "{name}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_frames_are_verified_and_repaired_alike_in_slices(
        number in 0u32..9,
        hurt in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        slice in 1usize..20_000,
    ) {
        let mut bytes = jpeg::with_restarts(number, 2).to_vec();
        for (index, value) in hurt {
            let at = index.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(frame) = Frame::parse(Bytes::from(bytes)) {
            prop_assert_eq!(verified(&frame, slice).0, frame.verify());
            prop_assert_eq!(repaired(&frame, slice).0, frame.repaired(all_repairs()));
        }
    }
}
