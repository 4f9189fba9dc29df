//! Tables that fit a terminal.

use mjpeg_manager::mjpeg_ingest::escaped;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Rows of text below titles.
#[derive(Debug)]
pub(super) struct TextTable {
    titles: &'static [Title],
    rows: Vec<Vec<String>>,
}

/// The title of a column, and what is in it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Title {
    /// Text, which may be shortened.
    Text(&'static str),
    /// Numbers stand at the right. A shortened one would be another number.
    Number(&'static str),
}

impl Title {
    fn text(self) -> &'static str {
        match self {
            Self::Text(text) | Self::Number(text) => text,
        }
    }
}

impl TextTable {
    pub(super) fn new(titles: &'static [Title]) -> Self {
        let rows = Vec::new();
        Self { titles, rows }
    }

    /// Adds a row of as many cells as there are titles. An empty one is shown as `-`.
    pub(super) fn push(&mut self, cells: impl IntoIterator<Item = String>) {
        let shown = |cell: String| match cell.is_empty() {
            true => "-".into(),
            false => escaped(&cell).into_owned(),
        };
        self.rows.push(cells.into_iter().map(shown).collect());
    }

    /// Draws the table. With a width, the widest text columns are shortened until it fits, but to
    /// no less than [`LEAST_WIDTH`].
    pub(super) fn drawn(&self, width: Option<usize>) -> String {
        let widths = self.widths(width);
        let titles = self.titles.iter().map(|title| title.text());
        let mut text = self.line(titles, &widths);
        for row in &self.rows {
            text += &self.line(row.iter().map(String::as_str), &widths);
        }
        text
    }

    fn widths(&self, most: Option<usize>) -> Vec<usize> {
        let widest = |column: usize, title: Title| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            let widths = cells.map(|cell| cell.width());
            widths.max().unwrap_or(0).max(title.text().width())
        };
        let titles = self.titles.iter().copied().enumerate();
        let mut widths: Vec<usize> = titles.map(|(i, title)| widest(i, title)).collect();
        let Some(most) = most else {
            return widths;
        };
        let gaps = GAP.len() * self.titles.len().saturating_sub(1);
        let mut excess = (widths.iter().sum::<usize>() + gaps).saturating_sub(most);
        while excess > 0 {
            let columns = widths.iter_mut().zip(self.titles);
            let texts = columns
                .filter(|(width, title)| matches!(title, Title::Text(_)) && **width > LEAST_WIDTH);
            let Some((width, _)) = texts.max_by_key(|(width, _)| **width) else {
                break;
            };
            *width -= 1;
            excess -= 1;
        }
        widths
    }

    fn line<'a>(&self, cells: impl Iterator<Item = &'a str>, widths: &[usize]) -> String {
        let mut line = String::new();
        for ((cell, title), width) in cells.zip(self.titles).zip(widths) {
            if !line.is_empty() {
                line += GAP;
            }
            let cell = fitted(cell, *width);
            let pad = " ".repeat(width.saturating_sub(cell.width()));
            line += &match title {
                Title::Text(_) => cell + &pad,
                Title::Number(_) => pad + &cell,
            };
        }
        line.truncate(line.trim_end().len());
        line + "\n"
    }
}

/// A text of at most so many columns: what is longer ends in `…`.
pub(super) fn fitted(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.into();
    }
    let (mut fits, mut used) = (String::new(), 0);
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used >= width {
            break;
        }
        fits.push(c);
    }
    fits + "…"
}

const GAP: &str = "  ";
/// Less of a text says nothing.
const LEAST_WIDTH: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    const TITLES: &[Title] = &[
        Title::Text("NAME"),
        Title::Text("STATE"),
        Title::Number("FRAMES"),
        Title::Text("SOURCE"),
    ];

    fn table() -> TextTable {
        let mut table = TextTable::new(TITLES);
        let source = "http://192.168.1.100:8080/a/very/long/path/of/a/camera.mjpg?with=more";
        table.push([
            "garage".into(),
            "online".into(),
            "123456789".into(),
            source.into(),
        ]);
        table.push(["d".into(), "offline".into(), "7".into(), "".into()]);
        table
    }

    #[test]
    fn widest_text_is_shortened_first_and_numbers_never() {
        let full = table().drawn(None);
        assert!(
            full.lines().any(|line| line.ends_with("?with=more")),
            "{full}"
        );
        for width in [80, 60, 40, 30] {
            let drawn = table().drawn(Some(width));
            let widest = drawn.lines().map(|line| line.width()).max();
            assert_eq!(widest, Some(width), "{drawn}");
            assert!(drawn.contains("123456789"), "{drawn}");
            assert!(drawn.contains("…\n"), "{drawn}");
            assert_eq!(drawn.contains("garage"), width > 30, "{drawn}");
        }
    }

    #[test]
    fn columns_stand_below_their_titles() {
        let mut table = TextTable::new(&TITLES[..3]);
        table.push(["門口".into(), String::new(), "10".into()]);
        table.push(["a".into(), "x\u{1b}[2J".into(), "9".into()]);
        let expected = "\
NAME  STATE       FRAMES
門口  -               10
a     x\\u{1b}[2J       9
";
        assert_eq!(table.drawn(None), expected);
    }

    #[test]
    fn wide_characters_are_not_cut_in_half() {
        assert_eq!(fitted("門口門口", 8), "門口門口");
        assert_eq!(fitted("門口門口", 7), "門口門…");
        assert_eq!(fitted("門口門口", 6), "門口…");
        assert_eq!(fitted("abc", 1), "…");
    }
}
