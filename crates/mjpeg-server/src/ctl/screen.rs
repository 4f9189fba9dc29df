//! What is printed: tables and lines for people, JSON for programs.

use std::{
    env,
    io::{self, IsTerminal, Write},
};

use mjpeg_manager::mjpeg_ingest::escaped;
use serde_json::Value;

use super::{
    failure::CtlFailure,
    table::{TextTable, fitted},
};

/// Standard output, and what is wanted there.
#[derive(Debug)]
pub(super) struct Screen {
    /// Whether programs read it.
    pub(super) is_json: bool,
    /// Columns of the terminal; `None` if it is none, where nothing is shortened.
    width: Option<usize>,
}

impl Screen {
    pub(super) fn new(is_json: bool) -> Self {
        let width = io::stdout().is_terminal().then(terminal_width);
        Self { is_json, width }
    }

    /// Prints an answer: a table for people.
    pub(super) fn table(&self, table: &TextTable) -> Result<(), CtlFailure> {
        write(&table.drawn(self.width))
    }

    /// Prints a line, in which nothing steers the terminal. It is cut where the terminal ends.
    pub(super) fn line(&self, text: &str) -> Result<(), CtlFailure> {
        let text = escaped(text);
        let text = match self.width {
            Some(width) => fitted(&text, width),
            None => text.into_owned(),
        };
        write(&(text + "\n"))
    }

    /// Prints a text that must be whole, such as a URL or the value of a key.
    pub(super) fn whole_line(&self, text: &str) -> Result<(), CtlFailure> {
        write(&format!("{}\n", escaped(text)))
    }

    /// Prints that something was done, unless programs read.
    pub(super) fn done(&self, text: &str) -> Result<(), CtlFailure> {
        match self.is_json {
            true => Ok(()),
            false => self.line(text),
        }
    }

    /// Prints a document.
    pub(super) fn json(&self, value: &Value) -> Result<(), CtlFailure> {
        write(&(plain_json(&format!("{value:#}")) + "\n"))
    }

    /// Prints a document as one line.
    pub(super) fn json_line(&self, value: &Value) -> Result<(), CtlFailure> {
        write(&(plain_json(&value.to_string()) + "\n"))
    }
}

/// Writes a line to standard error, in which nothing steers the terminal.
pub(super) fn notice(text: &str) {
    complain(&escaped(text));
}

/// Writes lines to standard error as they are.
pub(super) fn complain(lines: &str) {
    // Nobody may be there to read them.
    let _ = writeln!(io::stderr(), "{lines}");
}

/// The same JSON without characters that steer a terminal. They can stand in strings only.
pub(super) fn plain_json(json: &str) -> String {
    let mut plain = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || *escaped(c.encode_utf8(&mut [0; 4])) == *c.encode_utf8(&mut [0; 4]) {
            plain.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            plain += &format!("\\u{unit:04x}");
        }
    }
    plain
}

/// Prints at once: this may wait for its reader, and all of it is wanted.
fn write(text: &str) -> Result<(), CtlFailure> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(CtlFailure::Output)
}

fn terminal_width() -> usize {
    let columns = env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let columns = columns.filter(|columns| *columns > 0);
    columns.or_else(window_width).unwrap_or(USUAL_WIDTH)
}

#[cfg(unix)]
fn window_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some(size.ws_col.into()).filter(|columns| *columns > 0)
}

#[cfg(not(unix))]
fn window_width() -> Option<usize> {
    None
}

const USUAL_WIDTH: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_steers_no_terminal_and_says_the_same() {
        let value = serde_json::json!({ "a": "x\u{9b}2J\u{202e}\u{e0001}\u{1b}é門\n" });
        let text = plain_json(&format!("{value:#}"));
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        assert!(
            text.contains("\\u009b2J\\u202e") && text.contains("é門"),
            "{text}"
        );
        let is_plain = |c: char| c == '\n' || !c.is_control();
        assert!(text.chars().all(is_plain), "{text:?}");
    }
}
