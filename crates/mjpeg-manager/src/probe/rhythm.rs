//! Judges when pictures come.

use std::time::Duration;

use mjpeg_ingest::format_duration;

use super::{
    evidence::ProbeEvidence,
    finding::{FindingLevel, ProbeFinding},
};

/// Judges the rhythm of the pictures.
pub(super) fn findings(evidence: &ProbeEvidence, found: &mut Vec<ProbeFinding>) {
    match evidence.is_polled() {
        true => polled(evidence, found),
        false => streamed(evidence, found),
    }
    if evidence.closes > 0 && evidence.tally.frames() > 0 {
        let (closes, frames) = (evidence.closes, evidence.tally.counted());
        let text = format!(
            "It ended the connection {closes} times while it sent {frames} pictures; the relay \
             connects again, and some are lost meanwhile."
        );
        let advice = "Look for a limit on time or clients in its settings, and for a weak network.";
        let level = FindingLevel::Problem;
        found.push(ProbeFinding::new(level, "closes", text, advice));
    }
}

/// Judges a camera that is asked for each picture.
fn polled(evidence: &ProbeEvidence, found: &mut Vec<ProbeFinding>) {
    let observed = &evidence.observed;
    if let Some(took) = observed.answered_in.filter(|took| *took >= SLOW_ANSWER) {
        let seconds = took.as_secs_f64();
        let text = format!("It needs {seconds:.1} s to answer with a picture.");
        let interval = format_duration(Duration::from_secs(took.as_secs() + 1));
        let advice = "Ask no more often than it can answer.";
        let level = FindingLevel::Problem;
        let finding = ProbeFinding::new(level, "slow_answer", text, advice);
        let finding = finding.setting("poll_interval", quoted(&interval));
        found.push(match took >= VERY_SLOW_ANSWER {
            true => finding.setting("answer_timeout", "\"60s\""),
            false => finding,
        });
    }
    if observed.missed > 0 && evidence.tally.frames() > 0 {
        let why = observed.last_miss.as_deref().unwrap_or_default();
        let text = format!(
            "{} polls brought no picture ({why}); the relay skips them and keeps its rhythm.",
            observed.missed
        );
        let advice = "If that happens often, ask less often with poll_interval.";
        let level = FindingLevel::Problem;
        found.push(ProbeFinding::new(level, "missed_polls", text, advice));
    }
}

/// Judges a camera that decides itself when it sends.
fn streamed(evidence: &ProbeEvidence, found: &mut Vec<ProbeFinding>) {
    let intervals = evidence.tally.intervals();
    let since_last = evidence.watched.saturating_sub(evidence.tally.watched());
    let longest = intervals.last().copied().unwrap_or_default();
    let longest = longest.max(since_last);
    let middle = |part: usize| intervals.get(intervals.len() * part / 20).copied();
    let usual = middle(10).unwrap_or_default();
    if evidence.tally.frames() > 0 && (usual >= SLOW || (intervals.len() < 3 && longest >= SLOW)) {
        found.push(slow(longest));
        return;
    }
    if intervals.len() < ENOUGH {
        return;
    }
    let bursts = evidence.tally.in_burst() as f64 / evidence.tally.frames() as f64;
    if bursts >= 0.3 {
        let together = 1.0 / (1.0 - bursts).max(0.1);
        let text = format!("Its pictures come in bursts of about {together:.0}.");
        found.push(ProbeFinding::quirk("bursts", text));
        return;
    }
    if longest >= PAUSE && longest > usual * 8 {
        let (longest, usual) = (longest.as_secs_f64(), usual.as_millis());
        let text = format!(
            "It paused for {longest:.1} s, although a picture usually comes every {usual} ms."
        );
        let advice =
            "Look for a weak network (WLAN), or a camera that is busy with something else.";
        let level = FindingLevel::Problem;
        found.push(ProbeFinding::new(level, "pauses", text, advice));
        return;
    }
    let (early, late) = (
        middle(2).unwrap_or_default(),
        middle(18).unwrap_or_default(),
    );
    let jitter = late.saturating_sub(early);
    if jitter >= JITTER && jitter > usual {
        let text = format!(
            "Its rhythm is uneven: pictures come {} to {} ms after one another.",
            early.as_millis(),
            late.as_millis()
        );
        let advice = "There is nothing to set: viewers get each picture as it comes.";
        let level = FindingLevel::Quirk;
        found.push(ProbeFinding::new(level, "jitter", text, advice));
    }
}

fn slow(longest: Duration) -> ProbeFinding {
    let limit = Duration::from_secs((longest.as_secs() + 1) * 5).max(Duration::from_secs(30));
    let seconds = longest.as_secs_f64();
    let text = format!("It sends a picture every {seconds:.0} s or more rarely.");
    let advice = "Let it be silent for several of its intervals before it counts as lost.";
    let finding = ProbeFinding::new(FindingLevel::Problem, "slow", text, advice);
    finding.setting("stall_limit", quoted(&format_duration(limit)))
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// A picture rarer than this is rare.
const SLOW: Duration = Duration::from_millis(2500);

/// An answer later than this is late.
const SLOW_ANSWER: Duration = Duration::from_secs(1);

/// An answer later than this comes near the limit for it.
const VERY_SLOW_ANSWER: Duration = Duration::from_secs(10);

/// A gap shorter than this is no pause.
const PAUSE: Duration = Duration::from_secs(1);

/// Less jitter than this is not worth a word.
const JITTER: Duration = Duration::from_millis(60);

/// How many intervals it takes to judge a rhythm.
const ENOUGH: usize = 10;
