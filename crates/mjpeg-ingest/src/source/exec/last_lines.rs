//! What a program said last.

use std::collections::VecDeque;

use crate::{source::redact::redacted, text::escaped};

/// The last lines of a text, shortened for an error message.
#[derive(Debug, Default)]
pub(super) struct LastLines {
    lines: VecDeque<String>,
    line: Vec<u8>,
}

impl LastLines {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            match byte {
                // Progress displays end lines with CR alone.
                b'\n' | b'\r' => self.end_line(),
                _ if self.line.len() < KEPT_BYTES => self.line.push(byte),
                _ => {}
            }
        }
    }

    fn end_line(&mut self) {
        let is_cut = self.line.len() == KEPT_BYTES;
        let mut line = String::from_utf8_lossy(&self.line).trim().to_owned();
        self.line.clear();
        if is_cut {
            // The last word may be a URL that was cut before the `@`, so that its password could
            // not be recognised.
            line.truncate(line.rfind(char::is_whitespace).unwrap_or(0));
            line.push('…');
        }
        if line.is_empty() {
            return;
        }
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// Returns them without secrets, and without what would steer a terminal.
    pub(super) fn take(&mut self) -> String {
        self.end_line();
        let lines = self.lines.iter().map(|line| redacted(line));
        let short = |line: String| line.chars().take(LINE_CHARS).collect::<String>();
        let lines = lines.map(|line| escaped(&short(line)).into_owned());
        lines.collect::<Vec<_>>().join(" / ")
    }
}

/// How many lines of standard error are kept.
const LINES: usize = 3;

/// How much of each line is kept.
const KEPT_BYTES: usize = 4096;

/// How much of each line an error message shows.
const LINE_CHARS: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_lines_are_kept_short_and_without_secrets() {
        let mut lines = LastLines::default();
        lines.add(b"one\ntwo\n\nthree\rfour rtsp://a:b@c/\nfi");
        lines.add(b"ve");
        assert_eq!(lines.take(), "three / four rtsp://***@c/ / five");
        lines.add(&[b'x'; 1000]);
        assert_eq!(
            lines.take().len(),
            "four rtsp://***@c/ / five / ".len() + 300
        );
        lines.add(b"\n");
        lines.add(&[b'y'; KEPT_BYTES - 9]);
        lines.add(b" rtsp://a:secret@c/\n");
        assert!(!lines.take().contains("secre"));
        lines.add(b"\xff\n");
        assert!(lines.take().ends_with('\u{fffd}'));
    }
}
