//! The result as a table, on the terminal and in Markdown.

/// The outcome of one viewer in one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// How many of how many frames were seen. Each note is a fault; a remark is not.
    Measured {
        good: usize,
        of: usize,
        notes: Vec<String>,
        remark: Option<String>,
    },
    /// Not run, and why. The cell shows `short`.
    Skipped { short: &'static str, why: String },
    /// It could not be measured.
    Failed(String),
}

impl Cell {
    pub(crate) fn is_fault(&self) -> bool {
        match self {
            Self::Measured {
                good, of, notes, ..
            } => good < of || !notes.is_empty(),
            Self::Skipped { .. } => false,
            Self::Failed(_) => true,
        }
    }

    /// One word or two.
    pub(crate) fn short(&self) -> String {
        match self {
            Self::Measured {
                good, of, notes, ..
            } if notes.is_empty() => format!("{good}/{of}"),
            Self::Measured { good, of, .. } => format!("{good}/{of} !"),
            Self::Skipped { short, .. } => (*short).to_owned(),
            Self::Failed(_) => "failed".to_owned(),
        }
    }

    /// Details that the short form leaves out.
    pub(crate) fn note(&self) -> Option<String> {
        match self {
            Self::Measured { notes, remark, .. } => {
                let all: Vec<&str> = notes.iter().chain(remark).map(String::as_str).collect();
                (!all.is_empty()).then(|| all.join("; "))
            }
            Self::Skipped { why: note, .. } | Self::Failed(note) => Some(note.clone()),
        }
    }
}

pub(crate) struct Table {
    /// The first heading, which says what the rows are.
    pub(crate) corner: &'static str,
    pub(crate) columns: Vec<&'static str>,
    pub(crate) rows: Vec<(&'static str, Vec<Cell>)>,
}

impl Table {
    pub(crate) fn faults(&self) -> usize {
        self.count(Cell::is_fault)
    }

    pub(crate) fn skipped(&self) -> usize {
        self.count(|cell| matches!(cell, Cell::Skipped { .. }))
    }

    pub(crate) fn cells(&self) -> usize {
        self.count(|_| true)
    }

    /// Aligns the columns with blanks, so that the Markdown reads well on the terminal too.
    pub(crate) fn markdown(&self) -> String {
        let columns = self.columns.iter().copied();
        let heading = [self.corner].into_iter().chain(columns).map(str::to_owned);
        let mut lines: Vec<Vec<String>> = vec![heading.collect()];
        for (name, cells) in &self.rows {
            let cells = cells.iter().map(Cell::short);
            lines.push([(*name).to_owned()].into_iter().chain(cells).collect());
        }
        let columns = lines[0].len();
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
        let widths: Vec<usize> = (0..columns).map(|c| width(c).unwrap_or_default()).collect();
        let rule = widths.iter().map(|width| "-".repeat(*width)).collect();
        lines.insert(1, rule);
        let line = |line: &Vec<String>| {
            let cells = line
                .iter()
                .zip(&widths)
                .map(|(text, width)| format!(" {text:<width$} |"));
            format!("|{}\n", cells.collect::<String>())
        };
        lines.iter().map(line).collect()
    }

    /// The notes of all cells, one per line; a note of several cells appears once.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes: Vec<(String, Vec<String>)> = Vec::new();
        for (row, cells) in &self.rows {
            for (column, cell) in self.columns.iter().zip(cells) {
                let Some(note) = cell.note() else { continue };
                let place = format!("{row}, {column}");
                match notes.iter_mut().find(|(known, _)| *known == note) {
                    Some((_, places)) => places.push(place),
                    None => notes.push((note, vec![place])),
                }
            }
        }
        let line = |(note, places): (String, Vec<String>)| match &places[..] {
            [first, _, _, ..] => format!("{first} and {} more: {note}", places.len() - 1),
            few => format!("{}: {note}", few.join("; ")),
        };
        notes.into_iter().map(line).collect()
    }

    fn count(&self, wanted: impl Fn(&Cell) -> bool) -> usize {
        let cells = self.rows.iter().flat_map(|(_, cells)| cells);
        cells.filter(|cell| wanted(cell)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(good: usize, notes: &[&str]) -> Cell {
        let notes = notes.iter().map(|note| (*note).to_owned()).collect();
        Cell::Measured {
            good,
            of: 10,
            notes,
            remark: None,
        }
    }

    fn table() -> Table {
        let skipped = Cell::Skipped {
            short: "skipped",
            why: "not there".into(),
        };
        Table {
            corner: "form",
            columns: vec!["a", "b"],
            rows: vec![
                ("plain", vec![measured(10, &[]), skipped]),
                ("odd", vec![measured(9, &[]), measured(10, &["1 corrupt"])]),
            ],
        }
    }

    #[test]
    fn a_fault_is_what_is_missing_or_too_much() {
        let table = table();
        assert_eq!((table.faults(), table.skipped(), table.cells()), (2, 1, 4));
        assert!(Cell::Failed("no".into()).is_fault());
    }

    #[test]
    fn a_remark_is_shown_and_is_no_fault() {
        let cell = Cell::Measured {
            good: 10,
            of: 10,
            notes: Vec::new(),
            remark: Some("at the second try".into()),
        };
        assert!(!cell.is_fault());
        assert_eq!(
            (cell.short(), cell.note()),
            ("10/10".into(), Some("at the second try".into()))
        );
    }

    #[test]
    fn markdown_is_aligned_and_notes_stand_apart() {
        let expected = "\
| form  | a     | b       |\n\
| ----- | ----- | ------- |\n\
| plain | 10/10 | skipped |\n\
| odd   | 9/10  | 10/10 ! |\n";
        assert_eq!(table().markdown(), expected);
        assert_eq!(
            table().notes(),
            ["plain, b: not there", "odd, b: 1 corrupt"]
        );
    }
}
