//! Prints results, on the terminal and as Markdown.

use std::time::Duration;

use crate::{case::Row, rig::judged::Judged};

/// The lines for a case on the terminal.
pub(crate) fn line(row: &Row) -> String {
    let verdict = if row.failures.is_empty() {
        "ok"
    } else {
        "FAILED"
    };
    let mut line = format!(
        "{verdict:<6} {:<26} lost {}, recovered {}, memory {}, {} ({:.0} s)",
        row.case.name,
        lost(row),
        recovered(row),
        memory(row),
        row.findings.seen,
        row.took.as_secs_f64()
    );
    for failure in &row.failures {
        line += &format!("\n       {failure}");
    }
    line
}

/// The table of all cases, as Markdown.
pub(crate) fn text(rows: &[Row], skipped: &[(&str, &str)], seed: u64, took: Duration) -> String {
    let mut text = HEAD.to_owned();
    for row in rows {
        let seen = if row.failures.is_empty() {
            row.findings.seen.clone()
        } else {
            format!("**failed**: {}", row.failures.join("; "))
        };
        text += &format!(
            "| {} | {} | {} | {} | {} | {} | {} |\n",
            row.case.name,
            row.case.injected,
            row.case.holds,
            lost(row),
            recovered(row),
            memory(row),
            seen.replace('|', "\\|").replace('\n', " ")
        );
    }
    for (name, lacks) in skipped {
        text += &format!("| {name} | skipped: this needs {lacks} | | | | | |\n");
    }
    let lost: u64 = rows.iter().map(|row| row.judged.lost).sum();
    let held_up: u64 = rows.iter().map(|row| row.judged.held_up).sum();
    let pictures: u64 = rows.iter().map(|row| row.judged.pictures).sum();
    let failed = rows.iter().filter(|row| !row.failures.is_empty()).count();
    text + &format!(
        "\n{} cases, {failed} failed, {} skipped; {lost} of {} pictures of undamaged streams lost, \
         {held_up} held up; seed {seed}, {} build, {:.0} s.\n",
        rows.len(),
        skipped.len(),
        lost + held_up + pictures,
        if cfg!(debug_assertions) {
            "debug"
        } else {
            "release"
        },
        took.as_secs_f64()
    )
}

/// A time in words, to a tenth of a second.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn lost(row: &Row) -> String {
    let Judged {
        lost,
        held_up,
        pictures,
        ..
    } = row.judged;
    let all = lost + held_up + pictures;
    if held_up == 0 {
        return format!("{lost} of {all}");
    }
    format!("{lost} of {all}, {held_up} held up")
}

fn recovered(row: &Row) -> String {
    row.findings
        .recovered
        .map_or("-".to_owned(), |(took, limit)| {
            format!("{} (of {:.0})", seconds(took), limit.as_secs_f64())
        })
}

fn memory(row: &Row) -> String {
    let grown = row.judged.grown_kib as f64 / 1024.0;
    format!("+{grown:.1} MiB (of {})", row.case.most_mib)
}

const HEAD: &str = "| case | injected | must hold besides | lost | recovered in | memory | seen |
|---|---|---|---|---|---|---|
";
