//! Verdicts on the frames of real encoders and cameras, intact and damaged in known ways, if that
//! collection is present.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use mjpeg_codec::{
    Frame,
    verify::{Flaw, Verdict},
};
use serde_json::Value;

/// A stream and its known contents.
struct Stream {
    name: String,
    bytes: Vec<u8>,
    truth: Value,
}

impl Stream {
    fn load(truth: &Path) -> Self {
        Self {
            name: truth.file_stem().unwrap().to_str().unwrap().to_owned(),
            bytes: fs::read(truth.with_extension("mjpeg")).unwrap(),
            truth: serde_json::from_slice(&fs::read(truth).unwrap()).unwrap(),
        }
    }

    fn named(name: &str) -> Option<Self> {
        Some(Self::load(&corpus()?.join(name).with_extension("json")))
    }

    /// The places of frames, damaged or not, and of damaged ranges.
    fn ranges(&self, of: &str, mut wanted: impl FnMut(&Value) -> bool) -> Vec<Range<usize>> {
        let entries = self.truth[of].as_array().unwrap().iter();
        let number = |value: &Value| value.as_u64().unwrap() as usize;
        entries
            .filter(|entry| wanted(entry))
            .map(|entry| {
                let offset = number(&entry["offset"]);
                offset..offset + number(&entry["length"])
            })
            .collect()
    }

    /// The number of damaged frames, and how many of them are found.
    fn found(&self) -> (usize, usize) {
        let damaged = self.ranges("frames", |frame| frame["damaged"] == true);
        let is_found = |range: &&Range<usize>| {
            let frame = Frame::parse(self.bytes[(*range).clone()].to_vec()).unwrap();
            matches!(frame.verify(), Verdict::Damaged(_))
        };
        (damaged.len(), damaged.iter().filter(is_found).count())
    }
}

fn corpus() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    folder.is_dir().then_some(folder)
}

#[test]
fn no_sound_frame_is_called_damaged() {
    let Some(corpus) = corpus() else { return };
    let mut checked = 0;
    for entry in fs::read_dir(corpus).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let stream = Stream::load(&path);
        for range in stream.ranges("frames", |frame| frame["damaged"] != true) {
            // JPEG-LS is not JPEG.
            let Ok(frame) = Frame::parse(stream.bytes[range.clone()].to_vec()) else {
                continue;
            };
            let verdict = frame.verify();
            if (&stream.name[..], range.start) == COLOUR_SAID_TO_BE_GREY {
                assert!(matches!(verdict, Verdict::Damaged(_)));
                continue;
            }
            match verdict {
                Verdict::Complete { surplus_bytes: 0 } => checked += 1,
                Verdict::NotChecked(_) => {}
                other => panic!("{} at {range:?}: {other:?}", stream.name),
            }
        }
    }
    assert!(checked > 1000, "{checked} frames checked");
}

#[test]
fn hurt_restart_markers_are_found() {
    let Some(stream) = Stream::named("dmg_rst_order") else {
        return;
    };
    let damaged = stream.ranges("frames", |frame| frame["damaged"] == true);
    assert!(!damaged.is_empty());
    for range in damaged {
        let frame = Frame::parse(stream.bytes[range.clone()].to_vec()).unwrap();
        match frame.verify() {
            Verdict::Damaged(damage) => assert_eq!(damage.flaw, Flaw::Restart, "{range:?}"),
            other => panic!("{range:?}: {other:?}"),
        }
    }
}

#[test]
fn frames_cut_in_their_scan_are_found() {
    let Some(stream) = Stream::named("dmg_truncated_scan") else {
        return;
    };
    let cut = stream.ranges("damage", |_| true);
    assert!(!cut.is_empty());
    for range in cut {
        let ended = [&stream.bytes[range.clone()], &[0xFF, 0xD9]].concat();
        match Frame::parse(ended).unwrap().verify() {
            Verdict::Damaged(damage) => assert_eq!(damage.flaw, Flaw::Truncated, "{range:?}"),
            other => panic!("{range:?}: {other:?}"),
        }
    }
}

#[test]
fn heads_joined_to_other_frames_tails_are_found() {
    let Some(stream) = Stream::named("dmg_lost_bytes_joined") else {
        return;
    };
    assert_eq!(stream.found(), (12, 12));
}

#[test]
fn most_frames_hurt_inside_their_scan_are_found() {
    // Not all can be found: codes fall into step again and then add up.
    if let Some(stream) = Stream::named("dmg_bitflips_scan") {
        assert_eq!(stream.found(), (24, 15));
    }
    if let Some(stream) = Stream::named("dmg_lost_bytes_scan") {
        assert_eq!(stream.found(), (15, 10));
    }
}

/// Not damaged on purpose, but decoders show only noise: the scan of a colour picture with the
/// headers of a grey one.
const COLOUR_SAID_TO_BE_GREY: (&str, usize) = ("coding_library_tests", 130_445);
