//! Prints results, on the terminal and as Markdown.

use std::time::Duration;

use crate::case::Outcome;

/// The lines for a case on the terminal.
pub(crate) fn lines(outcome: &Outcome) -> String {
    let failures = outcome.failures();
    let verdict = if failures.is_empty() { "ok" } else { "FAILED" };
    let mut text = format!(
        "{verdict:<6} {} ({} rounds, {:.0} s)",
        outcome.case.name,
        outcome.rounds,
        outcome.took.as_secs_f64()
    );
    for limit in &outcome.limits {
        let measured = limit.measured(&outcome.tally);
        let measured = measured.map_or("-".to_owned(), |value| limit.text(value));
        let at_most = limit.at_most.map(|value| limit.text(value));
        let at_most = at_most.map_or(String::new(), |text| format!(" (at most {text})"));
        text += &format!("\n       {}: {measured}{at_most}", limit.name());
    }
    for failure in failures {
        text += &format!("\n       FAILED: {failure}");
    }
    text
}

/// The table of all cases, as Markdown.
pub(crate) fn text(
    outcomes: &[Outcome],
    skipped: &[(&str, String)],
    seed: u64,
    took: Duration,
) -> String {
    let mut text = HEAD.to_owned();
    for outcome in outcomes {
        let case = outcome.case;
        for (row, limit) in outcome.limits.iter().enumerate() {
            let measured = limit.measured(&outcome.tally);
            let is_bold = !limit.holds(measured);
            let measured = measured.map_or("not measured".to_owned(), |value| limit.text(value));
            let measured = if is_bold {
                format!("**{measured}**")
            } else {
                measured
            };
            let at_most = limit
                .at_most
                .map_or("-".to_owned(), |value| limit.text(value));
            let (name, injected, rounds) = match row {
                0 => (case.name, case.injected, outcome.rounds.to_string()),
                _ => ("", "", String::new()),
            };
            text += &format!(
                "| {name} | {injected} | {rounds} | {} | {at_most} | {measured} |\n",
                limit.name()
            );
        }
    }
    for (name, lacks) in skipped {
        text += &format!("| {name} | skipped: this needs {lacks} | | | | |\n");
    }
    text + &sums(outcomes, seed, took)
}

/// What holds over all cases.
fn sums(outcomes: &[Outcome], seed: u64, took: Duration) -> String {
    let sum = |of: fn(&Outcome) -> u64| outcomes.iter().map(of).sum::<u64>();
    let parts = sum(|outcome| outcome.tally.parts);
    let backwards = sum(|outcome| outcome.tally.backwards.len() as u64);
    let responses = sum(|outcome| outcome.tally.responses);
    let ended = sum(|outcome| outcome.tally.ended.len() as u64);
    let compared = sum(|outcome| outcome.tally.compared);
    let differing = sum(|outcome| outcome.tally.differing.len() as u64);
    let failed = sum(|outcome| u64::from(!outcome.failures().is_empty()));
    let mut text = format!(
        "\n{} cases, {failed} failed. Of {parts} parts at viewers, {backwards} went backwards in \
         epoch, sequence or number. Of {responses} responses of nodes that lived, {ended} ended. \
         Of {compared} pictures that several nodes had, {differing} had another epoch or sequence \
         there. Seed {seed}, {} build, {:.0} s.\n",
        outcomes.len(),
        if cfg!(debug_assertions) {
            "debug"
        } else {
            "release"
        },
        took.as_secs_f64()
    );
    for outcome in outcomes {
        for failure in outcome.failures() {
            text += &format!(
                "\n* {}: {}\n",
                outcome.case.name,
                failure.replace('|', "\\|")
            );
        }
    }
    text
}

const HEAD: &str = "| case | injected | rounds | figure | at most | measured |
|---|---|---|---|---|---|
";
