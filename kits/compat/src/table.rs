//! The table of all outcomes, in Markdown that is also readable on a terminal.

/// The outcome of one viewer in one row.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) outcome: Outcome,
    /// The text in the table.
    pub(crate) short: String,
    /// Details for the list below the table.
    pub(crate) note: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All pictures were seen, and nothing else.
    Good,
    /// Pictures were missed, but nothing else was wrong.
    Missed,
    /// Something was wrong, or could not be measured.
    Wrong,
    Skipped,
}

pub(crate) struct Table {
    pub(crate) columns: Vec<&'static str>,
    pub(crate) rows: Vec<(&'static str, Vec<Cell>)>,
}

impl Table {
    /// The outcomes of all cells.
    pub(crate) fn outcomes(&self) -> impl Iterator<Item = Outcome> {
        let cells = self.rows.iter().flat_map(|(_, cells)| cells);
        cells.map(|cell| cell.outcome)
    }

    /// The table, with its columns aligned.
    pub(crate) fn markdown(&self) -> String {
        let mut lines = vec![vec![CORNER.to_owned()]];
        lines[0].extend(self.columns.iter().map(|&name| name.to_owned()));
        for (name, cells) in &self.rows {
            let mut line = vec![(*name).to_owned()];
            line.extend(cells.iter().map(|cell| cell.short.clone()));
            lines.push(line);
        }
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
        let columns = 0..lines[0].len();
        let widths: Vec<usize> = columns.map(|c| width(c).unwrap_or_default()).collect();
        lines.insert(1, widths.iter().map(|width| "-".repeat(*width)).collect());
        let line = |line: &Vec<String>| {
            let cells = line.iter().zip(&widths);
            let cells = cells.map(|(text, width)| format!(" {text:<width$} |"));
            format!("|{}\n", cells.collect::<String>())
        };
        lines.iter().map(line).collect()
    }

    /// The notes of all cells. A note that several cells have appears once.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes: Vec<(String, Vec<String>)> = Vec::new();
        for (row, cells) in &self.rows {
            for (column, cell) in self.columns.iter().zip(cells) {
                let Some(note) = &cell.note else { continue };
                let place = format!("{row}, {column}");
                match notes.iter_mut().find(|(known, _)| known == note) {
                    Some((_, places)) => places.push(place),
                    None => notes.push((note.clone(), vec![place])),
                }
            }
        }
        let line = |(note, places): (String, Vec<String>)| match &places[..] {
            [first, _, _, ..] => format!("{first} and {} more: {note}", places.len() - 1),
            few => format!("{}: {note}", few.join("; ")),
        };
        notes.into_iter().map(line).collect()
    }
}

/// The heading of the first column.
const CORNER: &str = "what the camera sends";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_notes_are_separate() {
        let cell = |short: &str, note: Option<&str>| Cell {
            outcome: Outcome::Good,
            short: short.to_owned(),
            note: note.map(str::to_owned),
        };
        let skipped = cell("skipped", Some("not there"));
        let odd = cell("10/10 !", Some("1 corrupt"));
        let table = Table {
            columns: vec!["a", "b"],
            rows: vec![
                ("plain", vec![cell("10/10", None), skipped]),
                ("odd", vec![cell("9/10", None), odd]),
            ],
        };
        let expected = "\
| what the camera sends | a     | b       |\n\
| --------------------- | ----- | ------- |\n\
| plain                 | 10/10 | skipped |\n\
| odd                   | 9/10  | 10/10 ! |\n";
        assert_eq!(table.markdown(), expected);
        let notes = ["plain, b: not there", "odd, b: 1 corrupt"];
        assert_eq!(table.notes(), notes);
    }
}
