//! The scoring rule: rates each frame that a splitter returned, by the truth.

use std::ops::Range;

use mjpeg_codec::{DiscardReason, Found};

use crate::truth::{Mark, TrueFrame, Truth};

/// All that the splitter returned for a stream, in order.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) pieces: Vec<Piece>,
}

#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) range: Range<u64>,
    pub(crate) what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A frame whose bytes match the stream's at that range.
    Frame,
    /// A frame whose bytes differ from the stream's at that range.
    Altered,
    Discarded(DiscardReason),
}

/// How an answer compares with the truth.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Score {
    /// Frames that must be recovered.
    pub(crate) expected: usize,
    /// The required frames that did not come out, as indices into the truth's frames.
    pub(crate) missed: Vec<usize>,
    /// Ranges that were wrongly returned as frames.
    pub(crate) wrong: Vec<Range<u64>>,
}

/// The rating of one frame that the splitter returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rating {
    /// Exactly the frame of the truth with this index.
    Right(usize),
    /// The right start, but bytes of a gap or of damage at the end. The frame counts as missed.
    Padded,
    /// Touches only damage or ambiguous frames: neither right nor wrong.
    Neutral,
    Wrong,
}

impl Answer {
    pub(crate) fn add(&mut self, event: &Found, stream: &[u8]) {
        let (range, what) = match event {
            Found::Frame(frame) => {
                let start = frame.offset();
                let range = start..start.saturating_add(frame.bytes().len() as u64);
                match slice(stream, &range) == Some(&frame.bytes()[..]) {
                    true => (range, What::Frame),
                    false => (range, What::Altered),
                }
            }
            Found::Discarded { reason, range } => (range.clone(), What::Discarded(*reason)),
            // Should the splitter get a new kind of event, its bytes count as unaccounted.
            _ => return,
        };
        self.pieces.push(Piece { range, what });
    }

    /// The number of bytes before the first hole, overlap or altered piece.
    pub(crate) fn accounted(&self) -> u64 {
        let mut end = 0;
        for Piece { range, what } in &self.pieces {
            if range.start != end || *what == What::Altered {
                return end.min(range.start);
            }
            end = range.end;
        }
        end
    }
}

impl Score {
    pub(crate) fn of(answer: &Answer, truth: &Truth) -> Self {
        let mut recovered = vec![false; truth.frames.len()];
        let mut wrong = Vec::new();
        for piece in &answer.pieces {
            let rating = match piece.what {
                What::Discarded(_) => continue,
                What::Altered => Rating::Wrong,
                What::Frame => rate(truth, &piece.range),
            };
            match rating {
                Rating::Right(index) => recovered[index] = true,
                Rating::Wrong => wrong.push(piece.range.clone()),
                Rating::Padded | Rating::Neutral => {}
            }
        }
        let required = |index: &usize| truth.frames[*index].required;
        let required: Vec<usize> = (0..truth.frames.len()).filter(required).collect();
        Self {
            expected: required.len(),
            missed: required.into_iter().filter(|i| !recovered[*i]).collect(),
            wrong,
        }
    }

    pub(crate) fn exact(&self) -> usize {
        self.expected - self.missed.len()
    }

    pub(crate) fn is_perfect(&self) -> bool {
        self.missed.is_empty() && self.wrong.is_empty()
    }
}

/// Rates a frame that the splitter returned.
fn rate(truth: &Truth, given: &Range<u64>) -> Rating {
    let frames = &truth.frames;
    if let Some(index) = frames.iter().position(|frame| frame.range == *given) {
        return Rating::Right(index);
    }
    let of = |marks: &[Mark]| -> Vec<Range<u64>> {
        marks.iter().map(|mark| mark.range.clone()).collect()
    };
    let kind = |is: fn(&TrueFrame) -> bool| -> Vec<Range<u64>> {
        let frames = frames.iter().filter(|frame| is(frame));
        frames.map(|frame| frame.range.clone()).collect()
    };
    let damage = [of(&truth.damage), kind(|frame| frame.damaged)].concat();
    let neutral = [&damage[..], &kind(|frame| frame.ambiguous)].concat();
    if covers(&neutral, given) {
        return Rating::Neutral;
    }
    let padding = [damage, of(&truth.gaps)].concat();
    let padded = frames.iter().any(|frame| {
        let Range { start, end } = frame.range;
        start == given.start && end < given.end && covers(&padding, &(end..given.end))
    });
    match padded {
        true => Rating::Padded,
        false => Rating::Wrong,
    }
}

/// Whether each byte of `given` is in one of the ranges.
fn covers(ranges: &[Range<u64>], given: &Range<u64>) -> bool {
    let mut at = given.start;
    while at < given.end {
        match ranges.iter().find(|range| range.contains(&at)) {
            Some(range) => at = range.end,
            None => return false,
        }
    }
    true
}

fn slice<'s>(stream: &'s [u8], range: &Range<u64>) -> Option<&'s [u8]> {
    let start = usize::try_from(range.start).ok()?;
    stream.get(start..usize::try_from(range.end).ok()?)
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::single_range_in_vec_init,
        reason = "a list of one range is meant"
    )]

    use mjpeg_testkit::jpeg;

    use super::*;
    use crate::frames::split;

    fn frame(range: Range<u64>) -> TrueFrame {
        TrueFrame {
            range,
            ..TrueFrame::default()
        }
    }

    fn mark(range: Range<u64>) -> Mark {
        Mark {
            range,
            what: String::new(),
        }
    }

    /// Two required frames with a gap between them, damage, a damaged frame, more damage, an
    /// ambiguous frame.
    fn truth() -> Truth {
        let required = |range| TrueFrame {
            required: true,
            ..frame(range)
        };
        let damaged = TrueFrame {
            damaged: true,
            ..frame(24..30)
        };
        let ambiguous = TrueFrame {
            ambiguous: true,
            ..frame(33..40)
        };
        Truth {
            frames: vec![required(0..10), required(12..20), damaged, ambiguous],
            gaps: vec![mark(10..12)],
            // Two of them touch.
            damage: vec![mark(30..33), mark(20..22), mark(22..24)],
            debatable: None,
        }
    }

    fn answer(frames: &[Range<u64>]) -> Answer {
        let piece = |range: &Range<u64>| Piece {
            range: range.clone(),
            what: What::Frame,
        };
        Answer {
            pieces: frames.iter().map(piece).collect(),
        }
    }

    #[test]
    fn frames_are_rated_by_what_they_touch() {
        use Rating::{Neutral, Padded, Right, Wrong};
        for (what, ranges, expected) in [
            ("an exact frame", &[0..10][..], Right(0)),
            ("an exact damaged frame", &[24..30], Right(2)),
            ("an exact ambiguous frame", &[33..40], Right(3)),
            ("extra bytes of a gap", &[0..11, 0..12], Padded),
            ("extra bytes of damage", &[12..23, 12..26], Padded),
            ("bytes of another frame", &[0..13, 0..20, 12..34], Wrong),
            ("a part of a frame", &[0..9, 1..10, 3..5], Wrong),
            ("only damage", &[20..24, 21..23, 25..32], Neutral),
            ("damage and ambiguous frames", &[30..40, 22..35], Neutral),
            ("a gap", &[10..12, 11..20], Wrong),
            ("a sound frame next to damage", &[19..24], Wrong),
            ("bytes not in the truth", &[40..50, 33..41], Wrong),
        ] {
            for range in ranges {
                assert_eq!(rate(&truth(), range), expected, "{what}: {range:?}");
            }
        }
    }

    #[test]
    fn a_score_is_perfect_if_nothing_is_missed_or_wrong() {
        let all = [0..10, 12..20, 20..22, 24..30, 33..40];
        for (frames, missed, wrong) in [
            (&[0..10, 12..20][..], &[][..], &[][..]),
            (&all, &[], &[]),
            (&[12..20], &[0], &[]),
            // Padded, so missed but not wrong.
            (&[0..12, 12..20], &[0], &[]),
            (&[0..10, 10..12, 12..20], &[], &[10..12]),
        ] {
            let score = Score::of(&answer(frames), &truth());
            assert_eq!((&score.missed[..], &score.wrong[..]), (missed, wrong));
            assert_eq!((score.expected, score.exact()), (2, 2 - missed.len()));
            assert_eq!(score.is_perfect(), missed.is_empty() && wrong.is_empty());
        }
    }

    #[test]
    fn an_altered_frame_is_wrong() {
        let mut answer = answer(&[0..10, 12..20]);
        answer.pieces[0].what = What::Altered;
        let score = Score::of(&answer, &truth());
        assert_eq!((score.missed, score.wrong), (vec![0], vec![0..10]));
    }

    #[test]
    fn bytes_are_accounted_for_up_to_the_first_break() {
        assert_eq!(answer(&[]).accounted(), 0);
        assert_eq!(answer(&[0..10, 10..15]).accounted(), 15);
        // Holes.
        assert_eq!(answer(&[0..10, 11..15]).accounted(), 10);
        assert_eq!(answer(&[1..10]).accounted(), 0);
        // Overlaps, in the middle and at the end.
        assert_eq!(answer(&[0..10, 5..8, 10..15]).accounted(), 5);
        assert_eq!(answer(&[0..15, 3..5]).accounted(), 3);
        let mut altered = answer(&[0..10, 10..15]);
        altered.pieces[1].what = What::Altered;
        assert_eq!(altered.accounted(), 10);
    }

    #[test]
    fn a_frame_is_compared_with_the_stream_at_its_offset() {
        let stream = jpeg::numbered(1);
        let mut events = Vec::new();
        split(&stream[..], |event| {
            events.push(event);
            true
        })
        .unwrap();
        let what = |stream: &[u8]| {
            let mut answer = Answer::default();
            events.iter().for_each(|event| answer.add(event, stream));
            answer.pieces[0].what
        };
        assert_eq!(what(&stream), What::Frame);
        assert_eq!(what(&jpeg::numbered(2)), What::Altered);
        assert_eq!(what(&stream[1..]), What::Altered);
    }
}
