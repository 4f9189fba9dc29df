//! The truth of one stream. Reads NAME.json, and checks that it belongs to NAME.mjpeg.
//!
//! Most fields may be left out. A field that cannot be right is an error.

use std::ops::Range;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

#[derive(Debug)]
pub(crate) struct Truth {
    pub(crate) frames: Vec<TrueFrame>,
    /// Bytes between frames.
    pub(crate) gaps: Vec<Mark>,
    /// Damaged or foreign bytes.
    pub(crate) damage: Vec<Mark>,
    /// Why another answer is defensible, if one is.
    pub(crate) debatable: Option<String>,
}

#[derive(Debug, Default)]
pub(crate) struct TrueFrame {
    pub(crate) range: Range<u64>,
    /// A splitter must return exactly these bytes.
    pub(crate) required: bool,
    /// Required, but hard to find: a false or damaged start precedes it.
    pub(crate) hard: bool,
    /// Damaged on purpose.
    pub(crate) damaged: bool,
    /// Undamaged, but the bytes alone do not show whether it is a frame. Neither required nor
    /// wrong.
    pub(crate) ambiguous: bool,
}

/// A range with a description.
#[derive(Debug)]
pub(crate) struct Mark {
    pub(crate) range: Range<u64>,
    pub(crate) what: String,
}

/// Reads the truth of `stream`.
pub(crate) fn read(json: &[u8], stream: &[u8]) -> Result<Truth> {
    let file: File = serde_json::from_slice(json).context("not a valid truth")?;
    let length = stream.len() as u64;
    if let Some(bytes) = file.bytes {
        ensure!(
            bytes == length,
            "is for a stream of {bytes} bytes, but the .mjpeg has {length}"
        );
    }
    if let Some(expected) = &file.sha256 {
        let found = hex(&Sha256::digest(stream));
        ensure!(
            found.eq_ignore_ascii_case(expected),
            "is for a stream with sha256 {expected}, but the .mjpeg has {found}"
        );
    }
    let mut frames = Vec::new();
    for (index, frame) in file.frames.iter().enumerate() {
        frames.push(TrueFrame {
            range: range(frame.offset, frame.length, length)
                .with_context(|| format!("frame {index}"))?,
            damaged: frame.damaged.unwrap_or(false),
            ..TrueFrame::default()
        });
    }
    for index in indices("ambiguous", file.ambiguous, &frames)? {
        frames[index].ambiguous = true;
    }
    let all_required = file.must_recover.is_none();
    for frame in &mut frames {
        frame.required = all_required && !frame.damaged && !frame.ambiguous;
    }
    for index in indices("must_recover", file.must_recover, &frames)? {
        frames[index].required = true;
    }
    for index in indices("hard_recover", file.hard_recover, &frames)? {
        frames[index].hard = true;
    }
    Ok(Truth {
        frames,
        gaps: marks("gaps", file.gaps, length)?,
        damage: marks("damage", file.damage, length)?,
        debatable: file.debatable.unwrap_or(false).then(|| {
            file.debatable_why
                .unwrap_or_else(|| "no reason given".to_owned())
        }),
    })
}

/// The fields of the file that scoring needs. An optional field may also be `null`.
#[derive(Deserialize)]
struct File {
    bytes: Option<u64>,
    sha256: Option<String>,
    frames: Vec<FileFrame>,
    gaps: Option<Vec<FileMark>>,
    damage: Option<Vec<FileMark>>,
    must_recover: Option<Vec<usize>>,
    hard_recover: Option<Vec<usize>>,
    ambiguous: Option<Vec<usize>>,
    debatable: Option<bool>,
    debatable_why: Option<String>,
}

#[derive(Deserialize)]
struct FileFrame {
    offset: u64,
    length: u64,
    damaged: Option<bool>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a range must be {\"offset\", \"length\", \"what\"} or [offset, length]"
)]
enum FileMark {
    Named {
        offset: u64,
        length: u64,
        what: Option<String>,
    },
    Pair(u64, u64),
}

fn marks(name: &str, given: Option<Vec<FileMark>>, stream_bytes: u64) -> Result<Vec<Mark>> {
    let mark = |(index, mark)| {
        let (offset, length, what) = match mark {
            FileMark::Named {
                offset,
                length,
                what,
            } => (offset, length, what),
            FileMark::Pair(offset, length) => (offset, length, None),
        };
        let range = range(offset, length, stream_bytes)
            .with_context(|| format!("{name}, entry {index}"))?;
        Ok(Mark {
            range,
            what: what.unwrap_or_default(),
        })
    };
    given.into_iter().flatten().enumerate().map(mark).collect()
}

fn range(offset: u64, length: u64, stream_bytes: u64) -> Result<Range<u64>> {
    match offset.checked_add(length) {
        Some(end) if end <= stream_bytes => Ok(offset..end),
        _ => bail!("{length} bytes at {offset} exceed the stream of {stream_bytes}"),
    }
}

fn indices(name: &str, given: Option<Vec<usize>>, frames: &[TrueFrame]) -> Result<Vec<usize>> {
    let given = given.unwrap_or_default();
    let count = frames.len();
    if let Some(index) = given.iter().find(|index| **index >= count) {
        bail!("{name} names frame {index}, but there are only {count}");
    }
    Ok(given)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_ten(json: &str) -> Result<Truth> {
        read(json.as_bytes(), b"0123456789")
    }

    fn refusal(json: &str) -> String {
        format!("{:#}", read_ten(json).unwrap_err())
    }

    #[test]
    fn optional_fields_default_to_empty() {
        let truth = read_ten(r#"{"frames": [{"offset": 0, "length": 4}], "gaps": null}"#).unwrap();
        assert_eq!(truth.frames[0].range, 0..4);
        assert!(truth.gaps.is_empty() && truth.damage.is_empty() && truth.debatable.is_none());
    }

    #[test]
    fn without_must_recover_undamaged_frames_are_required_unless_ambiguous() {
        let truth = read_ten(
            r#"{"frames": [{"offset": 0, "length": 2},
                           {"offset": 2, "length": 2, "damaged": true},
                           {"offset": 4, "length": 2}], "ambiguous": [2]}"#,
        )
        .unwrap();
        let required: Vec<_> = truth.frames.iter().map(|frame| frame.required).collect();
        assert_eq!(required, [true, false, false]);
    }

    #[test]
    fn must_recover_decides_which_frames_are_required() {
        let truth = read_ten(
            r#"{"frames": [{"offset": 0, "length": 2}, {"offset": 2, "length": 2}],
                "must_recover": [1], "hard_recover": [1]}"#,
        )
        .unwrap();
        assert!(!truth.frames[0].required);
        assert!(truth.frames[1].required && truth.frames[1].hard);
    }

    #[test]
    fn ranges_are_objects_or_pairs() {
        let truth = read_ten(
            r#"{"frames": [], "damage": [[1, 2], {"offset": 4, "length": 1, "what": "bit flip"}]}"#,
        )
        .unwrap();
        assert_eq!(truth.damage[0].range, 1..3);
        assert_eq!(truth.damage[1].range, 4..5);
        assert_eq!(truth.damage[1].what, "bit flip");
    }

    #[test]
    fn a_debatable_stream_keeps_its_reason() {
        let why = |json| read_ten(json).unwrap().debatable;
        let given = why(r#"{"frames": [], "debatable": true, "debatable_why": "two fields"}"#);
        assert_eq!(given.as_deref(), Some("two fields"));
        assert!(why(r#"{"frames": [], "debatable": true}"#).is_some());
        assert!(why(r#"{"frames": [], "debatable": false, "debatable_why": "x"}"#).is_none());
    }

    #[test]
    fn a_truth_of_another_stream_is_refused() {
        let matching = "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882";
        for sum in [matching.to_owned(), matching.to_uppercase()] {
            let json = format!(r#"{{"frames": [], "bytes": 10, "sha256": "{sum}"}}"#);
            read_ten(&json).unwrap();
        }
        assert!(refusal(r#"{"frames": [], "bytes": 11}"#).contains("11 bytes"));
        assert!(refusal(r#"{"frames": [], "sha256": "84d8"}"#).contains(matching));
    }

    #[test]
    fn impossible_fields_are_refused_and_named() {
        let beyond = r#"{"frames": [{"offset": 8, "length": 3}]}"#;
        let overflow = r#"{"frames": [{"offset": 18446744073709551615, "length": 1}]}"#;
        let negative = r#"{"frames": [{"offset": -1, "length": 1}]}"#;
        let gap = r#"{"frames": [], "gaps": [[0, 1], [9, 2]]}"#;
        let must = r#"{"frames": [], "must_recover": [0]}"#;
        let hard = r#"{"frames": [], "hard_recover": [2]}"#;
        for (json, named) in [
            (beyond, "frame 0: 3 bytes at 8"),
            (overflow, "frame 0: 1 bytes at 18446744073709551615"),
            (negative, "line 1"),
            (gap, "gaps, entry 1"),
            (r#"{"frames": [], "damage": ["all"]}"#, "a range must be"),
            (must, "must_recover names frame 0"),
            (hard, "hard_recover names frame 2"),
            (r#"{"bytes": 10}"#, "frames"),
            ("[]", "not a valid truth"),
            (r#"{"frames": ["#, "line 1"),
            ("", "not a valid truth"),
        ] {
            let text = refusal(json);
            assert!(text.contains(named), "{json}: {text}");
        }
    }
}
