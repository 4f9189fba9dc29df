//! The scoring rule: the worth of each frame that a splitter returned, by the truth.

use std::ops::Range;

use mjpeg_codec::{DiscardReason, Found};

use crate::truth::{Mark, Truth};

/// Everything that the splitter returned for a stream, in order.
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
    /// A frame whose bytes are those of the stream at its place.
    Frame,
    /// A frame with other bytes than the stream has there.
    Forged,
    Discarded(DiscardReason),
}

/// How an answer compares with the truth.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Score {
    /// Frames that must be recovered.
    pub(crate) expected: usize,
    /// Those that were not recovered, as indices into the truth's frames.
    pub(crate) missed: Vec<usize>,
    /// Ranges that were wrongly returned as frames.
    pub(crate) wrong: Vec<Range<u64>>,
}

/// The worth of one frame that the splitter returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Worth {
    /// Exactly this frame of the truth.
    Right(usize),
    /// The right start, with bytes of a gap or of damage at the end: the frame is missed.
    Padded,
    /// Touches only damage, or frames that the bytes alone cannot tell: neither right nor wrong.
    Neutral,
    Wrong,
}

impl Answer {
    pub(crate) fn add(&mut self, event: &Found, stream: &[u8]) {
        let (range, what) = match event {
            Found::Frame(frame) => {
                let range =
                    frame.offset()..frame.offset().saturating_add(frame.bytes().len() as u64);
                let there = slice(stream, &range);
                let what = if there == Some(&frame.bytes()[..]) {
                    What::Frame
                } else {
                    What::Forged
                };
                (range, what)
            }
            Found::Discarded { reason, range } => (range.clone(), What::Discarded(*reason)),
            // Bytes of a kind of event that is added later would count as missing below.
            _ => return,
        };
        self.pieces.push(Piece { range, what });
    }

    /// How many bytes from the start of the stream lie in exactly one piece each, unaltered, before
    /// the first hole, overlap or other break.
    pub(crate) fn accounted(&self) -> u64 {
        let mut end = 0;
        for Piece { range, what } in &self.pieces {
            if range.start != end || *what == What::Forged {
                return end.min(range.start);
            }
            end = range.end;
        }
        end
    }
}

impl Score {
    pub(crate) fn of(answer: &Answer, truth: &Truth) -> Self {
        let rule = Rule::new(truth);
        let mut recovered = vec![false; truth.frames.len()];
        let mut wrong = Vec::new();
        for piece in &answer.pieces {
            let worth = match piece.what {
                What::Discarded(_) => continue,
                What::Forged => Worth::Wrong,
                What::Frame => rule.worth(&piece.range),
            };
            match worth {
                Worth::Right(index) => recovered[index] = true,
                Worth::Wrong => wrong.push(piece.range.clone()),
                Worth::Padded | Worth::Neutral => {}
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

struct Rule<'t> {
    truth: &'t Truth,
    /// Where extra bytes at the end of a frame are padding.
    padding: Cover,
    /// What a frame may touch and yet not be wrong.
    neutral: Cover,
}

impl<'t> Rule<'t> {
    fn new(truth: &'t Truth) -> Self {
        let of = |marks: &'t [Mark]| marks.iter().map(|mark| &mark.range);
        let frames = truth.frames.iter();
        let damaged = frames.clone().filter(|f| f.damaged).map(|f| &f.range);
        let ambiguous = frames.filter(|f| f.ambiguous).map(|f| &f.range);
        let damage = of(&truth.damage).chain(damaged);
        Self {
            truth,
            padding: Cover::new(damage.clone().chain(of(&truth.gaps))),
            neutral: Cover::new(damage.chain(ambiguous)),
        }
    }

    fn worth(&self, given: &Range<u64>) -> Worth {
        let frames = &self.truth.frames;
        if let Some(index) = frames.iter().position(|frame| frame.range == *given) {
            return Worth::Right(index);
        }
        if self.neutral.holds(given) {
            return Worth::Neutral;
        }
        let padded = frames.iter().any(|frame| {
            let Range { start, end } = frame.range;
            start == given.start && end < given.end && self.padding.holds(&(end..given.end))
        });
        if padded { Worth::Padded } else { Worth::Wrong }
    }
}

/// A set of bytes: ranges in order that neither touch nor overlap.
struct Cover(Vec<Range<u64>>);

impl Cover {
    fn new<'r>(ranges: impl Iterator<Item = &'r Range<u64>>) -> Self {
        let mut ranges: Vec<Range<u64>> = ranges.cloned().collect();
        ranges.sort_by_key(|range| range.start);
        let mut merged: Vec<Range<u64>> = Vec::new();
        for range in ranges {
            match merged.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        Self(merged)
    }

    /// Whether each byte of `range` is in the set.
    fn holds(&self, range: &Range<u64>) -> bool {
        let one = |of: &Range<u64>| of.start <= range.start && range.end <= of.end;
        self.0.iter().any(one)
    }
}

fn slice<'s>(stream: &'s [u8], range: &Range<u64>) -> Option<&'s [u8]> {
    let start = usize::try_from(range.start).ok()?;
    stream.get(start..usize::try_from(range.end).ok()?)
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::single_range_in_vec_init,
        reason = "lists of ranges are meant, also of one"
    )]

    use mjpeg_testkit::jpeg;

    use super::*;
    use crate::frames::split;
    use crate::truth::TrueFrame;

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
        Truth {
            frames: vec![
                required(0..10),
                required(12..20),
                TrueFrame {
                    damaged: true,
                    ..frame(24..30)
                },
                TrueFrame {
                    ambiguous: true,
                    ..frame(33..40)
                },
            ],
            gaps: vec![mark(10..12)],
            // In two pieces that touch.
            damage: vec![mark(30..33), mark(20..22), mark(22..24)],
            debatable: None,
        }
    }

    fn worth(given: Range<u64>) -> Worth {
        Rule::new(&truth()).worth(&given)
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

    fn score(frames: &[Range<u64>]) -> Score {
        Score::of(&answer(frames), &truth())
    }

    #[test]
    fn an_exact_frame_is_right_damaged_and_ambiguous_ones_too() {
        assert_eq!(worth(0..10), Worth::Right(0));
        assert_eq!(worth(24..30), Worth::Right(2));
        assert_eq!(worth(33..40), Worth::Right(3));
    }

    #[test]
    fn extra_bytes_of_a_gap_or_of_damage_are_padding() {
        assert_eq!(worth(0..11), Worth::Padded);
        assert_eq!(worth(0..12), Worth::Padded);
        assert_eq!(worth(12..23), Worth::Padded);
        // Into the damaged frame.
        assert_eq!(worth(12..26), Worth::Padded);
    }

    #[test]
    fn extra_bytes_of_another_frame_are_wrong() {
        assert_eq!(worth(0..13), Worth::Wrong);
        assert_eq!(worth(0..20), Worth::Wrong);
        assert_eq!(worth(12..34), Worth::Wrong);
    }

    #[test]
    fn a_part_of_a_frame_is_wrong() {
        assert_eq!(worth(0..9), Worth::Wrong);
        assert_eq!(worth(1..10), Worth::Wrong);
        assert_eq!(worth(3..5), Worth::Wrong);
    }

    #[test]
    fn what_touches_only_damage_is_neutral() {
        assert_eq!(worth(20..24), Worth::Neutral);
        assert_eq!(worth(21..23), Worth::Neutral);
        assert_eq!(worth(25..32), Worth::Neutral);
    }

    #[test]
    fn what_runs_from_damage_over_ambiguous_frames_is_neutral() {
        assert_eq!(worth(30..40), Worth::Neutral);
        assert_eq!(worth(22..35), Worth::Neutral);
    }

    #[test]
    fn what_touches_a_gap_or_a_sound_frame_beside_damage_is_wrong() {
        assert_eq!(worth(10..12), Worth::Wrong);
        assert_eq!(worth(19..24), Worth::Wrong);
        assert_eq!(worth(11..20), Worth::Wrong);
    }

    #[test]
    fn what_the_truth_does_not_mention_is_wrong() {
        assert_eq!(worth(40..50), Worth::Wrong);
        assert_eq!(worth(33..41), Worth::Wrong);
    }

    #[test]
    fn all_required_frames_and_nothing_wrong_is_perfect() {
        for frames in [
            &[0..10, 12..20][..],
            // Neither a damaged nor an ambiguous frame changes it, nor one in the damage.
            &[0..10, 12..20, 20..22, 24..30, 33..40],
        ] {
            let score = score(frames);
            assert!(score.is_perfect(), "{score:?}");
            assert_eq!((score.expected, score.exact()), (2, 2));
        }
    }

    #[test]
    fn a_required_frame_that_does_not_come_is_missed() {
        let score = score(&[12..20]);
        assert_eq!((score.missed.as_slice(), score.exact()), (&[0][..], 1));
        assert!(score.wrong.is_empty() && !score.is_perfect());
    }

    #[test]
    fn a_padded_frame_is_missed_but_not_wrong() {
        let score = score(&[0..12, 12..20]);
        assert_eq!(score.missed, [0]);
        assert!(score.wrong.is_empty() && !score.is_perfect());
    }

    #[test]
    fn a_wrong_frame_spoils_the_score_even_if_nothing_is_missed() {
        let score = score(&[0..10, 10..12, 12..20]);
        assert_eq!(score.wrong, [10..12]);
        assert!(score.missed.is_empty() && !score.is_perfect());
    }

    #[test]
    fn a_frame_with_other_bytes_than_the_stream_is_wrong() {
        let mut answer = answer(&[0..10, 12..20]);
        answer.pieces[0].what = What::Forged;
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
        let mut forged = answer(&[0..10, 10..15]);
        forged.pieces[1].what = What::Forged;
        assert_eq!(forged.accounted(), 10);
    }

    #[test]
    fn a_frame_is_compared_with_the_bytes_at_its_place() {
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
        assert_eq!(what(&jpeg::numbered(2)), What::Forged);
        assert_eq!(what(&stream[1..]), What::Forged);
    }
}
