//! The output of `cargo xtask corpus`: a table, then each answer that differs from the truth.

use std::fmt::Write as _;
use std::ops::Range;
use std::slice;

use crate::score::{Answer, What};
use crate::scored::Scored;
use crate::truth::Truth;

pub(crate) fn text(scored: &[Scored], unscored: &[String]) -> String {
    let mut text = table(scored);
    let (failed, passed): (Vec<&Scored>, Vec<_>) = scored.iter().partition(|s| s.fails());
    let debated = passed.into_iter().filter(|s| !s.score.is_perfect());
    section(&mut text, "Not perfect:", failed.into_iter().map(answers));
    section(
        &mut text,
        "Debatable, and our answer differs from the recorded one:",
        debated.map(answers),
    );
    let line = |error: &String| format!("{error}\n");
    section(&mut text, "Not scored:", unscored.iter().map(line));
    text + &total(scored, unscored.len())
}

fn section(text: &mut String, title: &str, entries: impl Iterator<Item = String>) {
    let entries: String = entries.collect();
    if !entries.is_empty() {
        *text += &format!("\n{title}\n\n{entries}");
    }
}

fn table(scored: &[Scored]) -> String {
    let longest = scored.iter().map(|s| s.name.chars().count()).max();
    let width = longest.unwrap_or(0).clamp("stream".len(), NAME_WIDTH);
    let mut table = format!(
        "{:<width$}  expected  exact  missed  false       bytes   accounted\n",
        "stream"
    );
    let mut row = |name: &str, of: &[Scored], verdict: &str| {
        let sum = |count: fn(&Scored) -> u64| of.iter().map(count).sum::<u64>();
        let line = format!(
            "{:<width$}  {:>8}  {:>5}  {:>6}  {:>5}  {:>10}  {:>10}  {verdict}",
            shortened(name),
            sum(|s| s.score.expected as u64),
            sum(|s| s.score.exact() as u64),
            sum(|s| s.score.missed.len() as u64),
            sum(|s| s.score.wrong.len() as u64),
            sum(|s| s.bytes),
            sum(|s| s.answer.accounted()),
        );
        let _ = writeln!(table, "{}", line.trim_end());
    };
    for stream in scored {
        row(&stream.name, slice::from_ref(stream), &verdict(stream));
    }
    row("total", scored, "");
    table
}

fn verdict(stream: &Scored) -> String {
    let mut verdict = match (stream.fails(), stream.score.is_perfect()) {
        (true, _) => "FAILS",
        (false, true) => "perfect",
        (false, false) => "differs",
    }
    .to_owned();
    if stream.truth.debatable.is_some() {
        verdict += ", debatable";
    }
    verdict
}

fn total(scored: &[Scored], unscored: usize) -> String {
    let debatable = |s: &&Scored| s.truth.debatable.is_some();
    let good = |s: &&Scored| s.score.is_perfect() && s.all_accounted();
    let counted = |of: Vec<&Scored>| {
        let good = of.iter().copied().filter(good).count();
        format!("{good} of {} perfect", of.len())
    };
    let (debatable, firm) = scored.iter().partition(debatable);
    format!(
        "\n{} streams: {}; of the debatable, {}; {unscored} not scored\n",
        scored.len() + unscored,
        counted(firm),
        counted(debatable),
    )
}

/// The answers of one stream that differ, one per line, each with what came out instead.
fn answers(stream: &Scored) -> String {
    let Scored {
        truth,
        answer,
        score,
        ..
    } = stream;
    let mut text = format!("{}\n", stream.name);
    if let Some(why) = &truth.debatable {
        let _ = writeln!(text, "  debatable: {why}");
    }
    for &index in &score.missed {
        let frame = &truth.frames[index];
        let hard = if frame.hard { ", hard_recover" } else { "" };
        let _ = writeln!(
            text,
            "  missed: frame {index} at {}{hard}: {}",
            place(&frame.range),
            instead(answer, &frame.range),
        );
    }
    for range in &score.wrong {
        let _ = writeln!(
            text,
            "  false: at {}: touches {}",
            place(range),
            touched(truth, range),
        );
    }
    if !stream.all_accounted() {
        let _ = writeln!(
            text,
            "  unaccounted: from byte {} on, bytes are in no frame or discarded range, in two, or altered",
            answer.accounted(),
        );
    }
    text
}

/// What came out instead of a missed frame.
fn instead(answer: &Answer, frame: &Range<u64>) -> String {
    let mut pieces = answer.pieces.iter();
    let Some(piece) = pieces.find(|piece| piece.range.contains(&frame.start)) else {
        return "neither came out nor was discarded".to_owned();
    };
    match piece.what {
        What::Discarded(reason) => format!("discarded: {reason} at {}", place(&piece.range)),
        What::Altered => "came out altered".to_owned(),
        What::Frame if piece.range.start == frame.start => {
            format!("came out with {} bytes", length(&piece.range))
        }
        What::Frame => format!(
            "its start came out inside the frame at {}",
            place(&piece.range)
        ),
    }
}

/// What the truth has at the range of a false frame, in order.
fn touched(truth: &Truth, wrong: &Range<u64>) -> String {
    let frames = truth.frames.iter().enumerate().map(|(index, frame)| {
        let kind = match (frame.damaged, frame.ambiguous) {
            (true, _) => " (damaged)",
            (false, true) => " (ambiguous)",
            (false, false) => "",
        };
        (&frame.range, format!("frame {index}{kind}"))
    });
    let gaps = truth.gaps.iter().map(|mark| ("gap", mark));
    let damage = truth.damage.iter().map(|mark| ("damage", mark));
    let marks = gaps
        .chain(damage)
        .map(|(kind, mark)| (&mark.range, format!("{kind} ({})", mark.what)));
    let mut there: Vec<_> = frames
        .chain(marks)
        .filter(|(range, _)| range.start < wrong.end && wrong.start < range.end)
        .collect();
    there.sort_by_key(|(range, _)| range.start);
    let more = there.len().saturating_sub(MAX_TOUCHED);
    let labels = there.into_iter().map(|(_, label)| label);
    let mut labels: Vec<String> = labels.take(MAX_TOUCHED).collect();
    match (labels.len(), more) {
        (0, _) => return "nothing in the truth".to_owned(),
        (_, 0) => {}
        _ => labels.push(format!("{more} more")),
    }
    labels.join(", ")
}

fn place(range: &Range<u64>) -> String {
    format!("{}, {} bytes", range.start, length(range))
}

fn length(range: &Range<u64>) -> u64 {
    range.end.saturating_sub(range.start)
}

/// Cuts a name to the width of its column.
fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME_WIDTH {
        return name.to_owned();
    }
    name.chars().take(NAME_WIDTH - 1).chain(['…']).collect()
}

/// Keeps the table within 100 columns, for streams of up to 10 GB.
const NAME_WIDTH: usize = 24;

/// One damaged frame may hold hundreds of bit flips.
const MAX_TOUCHED: usize = 4;

#[cfg(test)]
mod tests {
    use mjpeg_codec::DiscardReason;

    use super::*;
    use crate::score::{Piece, Score};
    use crate::truth::{Mark, TrueFrame};

    /// A stream of 40 bytes: four required frames, the second and the last of them hard, then
    /// damage.
    fn stream(debatable: bool, pieces: &[(Range<u64>, What)]) -> Scored {
        let frame = |start| TrueFrame {
            range: start..start + 8,
            required: true,
            hard: start % 16 == 8,
            ..TrueFrame::default()
        };
        let truth = Truth {
            frames: [0, 8, 16, 24].map(frame).into(),
            gaps: Vec::new(),
            damage: vec![Mark {
                range: 32..40,
                what: "noise".to_owned(),
            }],
            debatable: debatable.then(|| "who knows".to_owned()),
        };
        let piece = |(range, what): &(Range<u64>, What)| Piece {
            range: range.clone(),
            what: *what,
        };
        let answer = Answer {
            pieces: pieces.iter().map(piece).collect(),
        };
        Scored {
            name: "made_up".to_owned(),
            bytes: 40,
            score: Score::of(&answer, &truth),
            truth,
            answer,
        }
    }

    fn perfect(debatable: bool) -> Scored {
        let frame = |start| (start..start + 8, What::Frame);
        let noise = (32..40, What::Discarded(DiscardReason::Garbage));
        let [a, b, c, d] = [0, 8, 16, 24].map(frame);
        stream(debatable, &[a, b, c, d, noise])
    }

    fn differing(debatable: bool) -> Scored {
        stream(
            debatable,
            &[
                (0..8, What::Discarded(DiscardReason::Truncated)),
                (8..20, What::Frame),
                (20..24, What::Discarded(DiscardReason::Garbage)),
                (24..40, What::Frame),
            ],
        )
    }

    #[test]
    fn bytes_not_accounted_for_are_never_debatable() {
        let mut stream = perfect(true);
        stream.answer.pieces.pop();
        assert!(stream.score.is_perfect() && stream.fails());
        let text = text(&[stream], &[]);
        assert!(text.contains("FAILS, debatable"), "{text}");
        assert!(text.contains("unaccounted: from byte 32 on"), "{text}");
    }

    #[test]
    fn each_answer_that_differs_is_listed_with_what_came_out_instead() {
        let text = text(&[differing(true)], &[]);
        for line in [
            "Debatable, and our answer differs from the recorded one:",
            "made_up",
            "  debatable: who knows",
            "  missed: frame 0 at 0, 8 bytes: discarded: truncated at 0, 8 bytes",
            "  missed: frame 1 at 8, 8 bytes, hard_recover: came out with 12 bytes",
            "  missed: frame 2 at 16, 8 bytes: its start came out inside the frame at 8, 12 bytes",
            // Padded, so missed but not false.
            "  missed: frame 3 at 24, 8 bytes, hard_recover: came out with 16 bytes",
            "  false: at 8, 12 bytes: touches frame 1, frame 2",
            "1 streams: 0 of 0 perfect; of the debatable, 0 of 1 perfect; 0 not scored",
        ] {
            let found = text.lines().any(|l| l == line);
            assert!(found, "no line `{line}` in\n{text}");
        }
        assert_eq!(text.matches("false:").count(), 1, "{text}");
    }

    #[test]
    fn a_perfect_stream_appears_in_the_table_only() {
        let text = text(&[perfect(false), perfect(true)], &[]);
        let lines: Vec<String> = text
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(
            lines[0],
            "stream expected exact missed false bytes accounted"
        );
        assert_eq!(lines[1], "made_up 4 4 0 0 40 40 perfect");
        assert_eq!(lines[2], "made_up 4 4 0 0 40 40 perfect, debatable");
        assert_eq!(lines[3], "total 8 8 0 0 80 80");
        assert_eq!(lines.len(), 6, "{text}");
    }

    #[test]
    fn the_table_fits_a_terminal_of_100_columns() {
        let mut stream = differing(true);
        stream.name = "ä".repeat(200);
        stream.bytes = 9_999_999_999;
        stream.answer.pieces[3].range.end = stream.bytes;
        let table = table(&[stream]);
        let widths: Vec<usize> = table.lines().map(|l| l.chars().count()).collect();
        assert!(widths.iter().all(|width| *width <= 100), "{table}");
        assert!(table.contains('…') && table.contains("differs, debatable"));
    }

    #[test]
    fn a_long_list_of_touched_ranges_is_cut() {
        let mut truth = perfect(false).truth;
        assert_eq!(touched(&truth, &(50..60)), "nothing in the truth");
        truth.frames[0].damaged = true;
        truth.frames[1].ambiguous = true;
        assert_eq!(
            touched(&truth, &(0..40)),
            "frame 0 (damaged), frame 1 (ambiguous), frame 2, frame 3, 1 more"
        );
        assert_eq!(touched(&truth, &(31..33)), "frame 3, damage (noise)");
    }
}
