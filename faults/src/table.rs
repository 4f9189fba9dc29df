//! Rows as people read them, and the last ones in the docs.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context as _, Result};

use crate::{case::Row, stage::Judged};

/// A row on the terminal.
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
        row.told.seen,
        row.took.as_secs_f64()
    );
    for failure in &row.failures {
        line += &format!("\n       {failure}");
    }
    line
}

/// All of it, as Markdown.
pub(crate) fn text(rows: &[Row], skipped: &[(&str, &str)], seed: u64, took: Duration) -> String {
    let mut text = "| case | injected | must hold besides | lost | recovered in | memory | seen |\n|---|---|---|---|---|---|---|\n".to_owned();
    for row in rows {
        let seen = if row.failures.is_empty() {
            row.told.seen.clone()
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
        "\n{} cases, {failed} failed, {} skipped; {lost} of {} pictures of undamaged streams lost, {held_up} held up; seed {seed}, {} build, {:.0} s.\n",
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

/// Puts a text into a file in place of the last one of that command, or at its end.
pub(crate) fn record(file: &Path, command: &str, text: &str) -> Result<()> {
    let before = fs::read_to_string(file).unwrap_or_default();
    fs::write(file, replaced(&before, command, text))
        .with_context(|| format!("writing {}", file.display()))
}

fn replaced(document: &str, command: &str, text: &str) -> String {
    let begin = format!("<!-- cargo xtask {command}: begin, written by the command -->\n");
    let end = format!("<!-- cargo xtask {command}: end -->\n");
    let text = format!("{begin}\n{}\n\n{end}", text.trim());
    let found = document.find(&begin).and_then(|from| {
        let to = from + document[from..].find(&end)? + end.len();
        Some((&document[..from], &document[to..]))
    });
    match found {
        Some((head, tail)) => format!("{head}{text}{tail}"),
        None if document.is_empty() => text,
        None => format!("{}\n\n{text}", document.trim_end()),
    }
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
    row.told.recovered.map_or("-".to_owned(), |(took, limit)| {
        format!(
            "{:.1} s (of {:.0})",
            took.as_secs_f64(),
            limit.as_secs_f64()
        )
    })
}

fn memory(row: &Row) -> String {
    let grown = row.judged.grown_kib as f64 / 1024.0;
    format!("+{grown:.1} MiB (of {})", row.case.most_mib)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_takes_the_place_of_the_last_one_of_its_command() {
        let one = replaced("# Title\n", "faults", "first");
        let two = replaced(&one, "soak", "other");
        let three = replaced(&two, "faults", "second") + "tail\n";
        assert!(three.starts_with("# Title\n\n<!--") && !three.contains("first"));
        assert!(three.contains("\nsecond\n") && three.contains("\nother\n"));
        assert_eq!(replaced(&three, "faults", "second"), three);
    }
}
