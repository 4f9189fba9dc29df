//! What `cargo xtask corpus` prints: a table, then every answer that differs from the truth.

use std::fmt::Write as _;
use std::ops::Range;

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
        "Debatable, and ours is another answer than the recorded one:",
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
    let row = |cells: [&str; 8]| {
        let [
            name,
            expected,
            exact,
            missed,
            wrong,
            bytes,
            accounted,
            verdict,
        ] = cells;
        let line = format!(
            "{:<width$}  {expected:>8}  {exact:>5}  {missed:>6}  {wrong:>5}  {bytes:>10}  {accounted:>10}  {verdict}",
            shortened(name),
        );
        line.trim_end().to_owned() + "\n"
    };
    let numbers = |name: &str, of: &[&Scored], verdict: &str| {
        let sum = |count: fn(&Scored) -> u64| of.iter().map(|s| count(s)).sum::<u64>().to_string();
        row([
            name,
            &sum(|s| s.score.expected as u64),
            &sum(|s| s.score.exact() as u64),
            &sum(|s| s.score.missed.len() as u64),
            &sum(|s| s.score.wrong.len() as u64),
            &sum(|s| s.bytes),
            &sum(|s| s.answer.accounted()),
            verdict,
        ])
    };
    let mut table = row([
        "stream",
        "expected",
        "exact",
        "missed",
        "false",
        "bytes",
        "accounted",
        "",
    ]);
    for stream in scored {
        table += &numbers(&stream.name, &[stream], &verdict(stream));
    }
    let all: Vec<&Scored> = scored.iter().collect();
    table + &numbers("total", &all, "")
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

/// The answers of one stream that differ, one per line, each with what happened instead.
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
            "  unaccounted: from byte {} on, bytes lie in no frame or range, in two, or are altered",
            answer.accounted(),
        );
    }
    text
}

/// What became of a frame that is missed.
fn instead(answer: &Answer, frame: &Range<u64>) -> String {
    let mut pieces = answer.pieces.iter();
    let Some(piece) = pieces.find(|piece| piece.range.contains(&frame.start)) else {
        return "came out neither in a frame nor discarded".to_owned();
    };
    match piece.what {
        What::Discarded(reason) => format!("discarded: {reason} at {}", place(&piece.range)),
        What::Forged => "came out altered".to_owned(),
        What::Frame if piece.range.start == frame.start => {
            format!("came out with {} bytes", length(&piece.range))
        }
        What::Frame => format!(
            "its start came out within the frame at {}",
            place(&piece.range)
        ),
    }
}

/// What the truth has where a false frame lies, in order.
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
    let more = there.len().saturating_sub(TOUCHED_AT_MOST);
    let labels = there.into_iter().map(|(_, label)| label);
    let mut labels: Vec<String> = labels.take(TOUCHED_AT_MOST).collect();
    match (labels.len(), more) {
        (0, _) => return "nothing that the truth mentions".to_owned(),
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

/// A name longer than its column, with its end cut off.
fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME_WIDTH {
        return name.to_owned();
    }
    name.chars().take(NAME_WIDTH - 1).chain(['…']).collect()
}

/// Keeps a line of the table within 100 columns, up to gigabytes.
const NAME_WIDTH: usize = 24;

/// One damaged frame may hold hundreds of bit flips.
const TOUCHED_AT_MOST: usize = 4;

#[cfg(test)]
mod tests {
    use mjpeg_codec::DiscardReason;

    use super::*;
    use crate::score::{Piece, Score};
    use crate::truth::{Mark, TrueFrame};

    /// A stream of 40 bytes: four required frames, of which the second and the last are hard, then
    /// damage.
    fn stream(debatable: bool, pieces: &[(Range<u64>, What)]) -> Scored {
        let frame = |start, hard| TrueFrame {
            range: start..start + 8,
            required: true,
            hard,
            ..TrueFrame::default()
        };
        let truth = Truth {
            frames: vec![
                frame(0, false),
                frame(8, true),
                frame(16, false),
                frame(24, true),
            ],
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
        stream(
            debatable,
            &[frame(0), frame(8), frame(16), frame(24), noise],
        )
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
    fn a_debatable_stream_may_differ_and_another_may_not() {
        assert!(!perfect(false).fails() && !perfect(true).fails());
        assert!(differing(false).fails());
        assert!(!differing(true).fails());
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
    fn every_answer_that_differs_is_listed_with_what_came_instead() {
        let text = text(&[differing(true)], &[]);
        for line in [
            "Debatable, and ours is another answer than the recorded one:",
            "made_up",
            "  debatable: who knows",
            "  missed: frame 0 at 0, 8 bytes: discarded: truncated at 0, 8 bytes",
            "  missed: frame 1 at 8, 8 bytes, hard_recover: came out with 12 bytes",
            "  missed: frame 2 at 16, 8 bytes: its start came out within the frame at 8, 12 bytes",
            // Padded, so it is missed but not false.
            "  missed: frame 3 at 24, 8 bytes, hard_recover: came out with 16 bytes",
            "  false: at 8, 12 bytes: touches frame 1, frame 2",
            "1 streams: 0 of 0 perfect; of the debatable, 0 of 1 perfect; 0 not scored",
        ] {
            assert!(
                text.lines().any(|l| l == line),
                "no line `{line}` in\n{text}"
            );
        }
        assert_eq!(text.matches("false:").count(), 1, "{text}");
    }

    #[test]
    fn a_stream_as_recorded_has_its_line_in_the_table_only() {
        let text = text(&[perfect(false), perfect(true)], &[]);
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|l| l.split_whitespace().collect())
            .collect();
        assert_eq!(
            lines[1],
            ["made_up", "4", "4", "0", "0", "40", "40", "perfect"]
        );
        assert_eq!(
            lines[2],
            [
                "made_up",
                "4",
                "4",
                "0",
                "0",
                "40",
                "40",
                "perfect,",
                "debatable"
            ]
        );
        assert_eq!(lines[3], ["total", "8", "8", "0", "0", "80", "80"]);
        assert_eq!(lines.len(), 6, "{text}");
    }

    #[test]
    fn what_was_not_scored_is_listed_and_counted() {
        let text = text(&[], &["x.json is missing".to_owned()]);
        assert!(
            text.contains("Not scored:\n\nx.json is missing\n"),
            "{text}"
        );
        assert!(text.ends_with("; 1 not scored\n"), "{text}");
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
        assert!(
            table.contains('…') && table.contains("differs, debatable"),
            "{table}"
        );
    }

    #[test]
    fn a_long_list_of_what_is_touched_is_cut() {
        let mut truth = perfect(false).truth;
        assert_eq!(
            touched(&truth, &(50..60)),
            "nothing that the truth mentions"
        );
        truth.frames[0].damaged = true;
        truth.frames[1].ambiguous = true;
        assert_eq!(
            touched(&truth, &(0..40)),
            "frame 0 (damaged), frame 1 (ambiguous), frame 2, frame 3, 1 more"
        );
        assert_eq!(touched(&truth, &(31..33)), "frame 3, damage (noise)");
    }
}
