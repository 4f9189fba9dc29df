//! A file as it may be shown: without what may be a secret.
//!
//! Errors show lines of the file, and a file with errors may have a password anywhere. So this
//! shows what it knows to be harmless, and hides the rest: only the values of known keys that are
//! no sources, and of sources what their labels show. Of a file that is no TOML not even labels:
//! where a quotation mark is missing, nobody knows which part of a URL the password is.

use std::ops::Range;

use mjpeg_manager::mjpeg_ingest::Source;

use crate::config::{files::char_boundary, schema::section::Section};

/// A text with the same lines, in which secrets are replaced.
pub(super) struct Masked {
    text: String,
    /// What was replaced, and by what, in their order.
    replaced: Vec<(Range<usize>, Range<usize>)>,
}

impl Masked {
    pub(super) fn new(text: &str, is_toml: bool) -> Self {
        let mut lexer = Lexer {
            text,
            at: 0,
            key: None,
            masked: Self {
                text: String::with_capacity(text.len()),
                replaced: Vec::new(),
            },
        };
        if is_toml {
            while lexer.step().is_some() {}
        } else {
            text.split_inclusive('\n')
                .for_each(|line| lexer.broken_line(line));
        }
        lexer.masked
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Where the bytes of this span are now.
    pub(super) fn span(&self, span: &Range<usize>) -> Range<usize> {
        let start = self.offset(span.start, |now| now.start);
        let end = self.offset(span.end, |now| now.end);
        start..end.max(start)
    }

    fn offset(&self, at: usize, side: fn(&Range<usize>) -> usize) -> usize {
        let index = self
            .replaced
            .partition_point(|(before, _)| before.start < at);
        let Some((before, now)) = index.checked_sub(1).map(|index| &self.replaced[index]) else {
            return char_boundary(&self.text, at);
        };
        let at = if at < before.end {
            side(now)
        } else {
            now.end + (at - before.end)
        };
        char_boundary(&self.text, at)
    }
}

/// Reads a text as TOML does, but never fails.
struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// The key whose value is being read.
    key: Option<&'a str>,
    masked: Masked,
}

impl<'a> Lexer<'a> {
    /// Takes the next piece.
    fn step(&mut self) -> Option<()> {
        let rest = &self.text[self.at..];
        match rest.chars().next()? {
            '#' => self.replace(1 + line_len(&rest[1..]), "#…"),
            quote @ ('"' | '\'') => self.string(quote),
            '=' => {
                self.copy(1);
                self.bare_value();
            }
            c if is_bare(c) => self.word(),
            c => self.copy(c.len_utf8()),
        }
        Some(())
    }

    /// Masks a line of a text that is not valid TOML.
    fn broken_line(&mut self, line: &'a str) {
        let bare = &line[..line_len(line)];
        let (head, value) = match bare.split_once('=') {
            Some((key, value)) => (&bare[..=key.len()], value),
            None => (bare, ""),
        };
        let key = head.trim_end_matches('=').trim();
        self.key = (head.len() < bare.len()).then_some(key);
        let is_header = key.trim_matches(['[', ']']).chars().all(is_bare);
        if !is_header || (self.key.is_none() && !key.starts_with('[')) {
            self.replace(bare.len(), if bare.trim().is_empty() { "" } else { "…" });
        } else if value.is_empty() || self.is_harmless(value) {
            self.copy(bare.len());
        } else {
            let blank = value.len() - value.trim_start().len();
            self.copy(head.len() + blank);
            self.replace(value.len() - blank, "…");
        }
        self.copy(line.len() - bare.len());
    }

    fn string(&mut self, quote: char) {
        let rest = &self.text[self.at..];
        let triple = [quote; 3].iter().collect::<String>();
        let mark = match rest.starts_with(&triple) {
            true => 3,
            false => 1,
        };
        let content = &rest[mark..];
        let len = string_len(content, quote, mark == 3);
        let content = &content[..len];
        let after = &rest[mark + len..];
        let is_key = after
            .trim_start_matches(quote)
            .trim_start_matches([' ', '\t'])
            .starts_with('=');
        self.copy(mark);
        match is_key {
            true if content.chars().all(is_bare) => {
                self.key = Some(content);
                self.copy(len);
            }
            false if self.is_harmless(content) => self.copy(len),
            _ => {
                let lines = "\n".repeat(content.matches('\n').count());
                let shown = shown(content, self.key) + &lines;
                self.replace(len, &shown);
            }
        }
        let end = after.chars().take(mark).take_while(|&c| c == quote).count();
        self.copy(end);
    }

    /// Takes a word outside of strings, which may be a key.
    fn word(&mut self) {
        let rest = &self.text[self.at..];
        let len = rest.find(|c| !is_bare(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(len);
        if after.trim_start_matches([' ', '\t']).starts_with('=') {
            self.key = Some(word);
        }
        match after.starts_with([':', '/', '@']) {
            // A URL without quotation marks.
            true => self.replace(line_len(rest), "…"),
            false => self.copy(len),
        }
    }

    /// Hides a value without quotation marks unless it is harmless.
    fn bare_value(&mut self) {
        let rest = &self.text[self.at..];
        let value = rest.trim_start_matches([' ', '\t']);
        let blank = rest.len() - value.len();
        let value = &value[..line_len(value)];
        if value.is_empty() || value.starts_with(['"', '\'', '[', '{']) {
            return;
        }
        self.copy(blank);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || " \t_.+-".contains(c);
        let bare = value.split('#').next().unwrap_or_default();
        if !(self.is_known() && bare.chars().all(is_plain)) {
            self.replace(value.len(), "…");
        }
    }

    fn is_harmless(&self, content: &str) -> bool {
        let is_origin = self.key == Some("origins");
        let is_url = content.contains("exec:") || (content.contains("://") && !is_origin);
        self.is_known() && !content.contains('@') && !is_url
    }

    /// Whether the key is one whose values are no secrets.
    fn is_known(&self) -> bool {
        self.key.is_some_and(|key| {
            let mut keys = Section::ALL
                .into_iter()
                .filter_map(|section| section.key(key));
            let is_plain = keys.next().is_some_and(|key| !key.is_secret());
            is_plain || ["include", "certificate", "key"].contains(&key)
        })
    }

    fn copy(&mut self, len: usize) {
        let copied = &self.text[self.at..][..len];
        for c in copied.chars() {
            if is_steering(c) {
                self.replace(c.len_utf8(), "\u{fffd}");
            } else {
                self.masked.text.push(c);
                self.at += c.len_utf8();
            }
        }
    }

    fn replace(&mut self, len: usize, by: &str) {
        let start = self.masked.text.len();
        self.masked.text += by;
        let now = start..self.masked.text.len();
        self.masked.replaced.push((self.at..self.at + len, now));
        self.at += len;
    }
}

/// What is shown of a string that may be a secret.
fn shown(content: &str, key: Option<&str>) -> String {
    if !["source", "fallback"].map(Some).contains(&key) {
        return "…".into();
    }
    let scheme = || {
        let (scheme, _) = content.split_once(':')?;
        let is_plain = |b: u8| b.is_ascii_lowercase() || b == b'-';
        (scheme.len() <= 16 && scheme.bytes().all(is_plain)).then(|| format!("{scheme}:…"))
    };
    match content.parse::<Source>() {
        Ok(source) => source.to_string().replace('\n', ""),
        Err(_) => scheme().unwrap_or_else(|| "…".into()),
    }
}

/// How long the content of a string is.
fn string_len(content: &str, quote: char, is_long: bool) -> usize {
    let mut rest = content.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        match c {
            '\\' if quote == '"' => drop(rest.next()),
            '\n' if !is_long => return at,
            c if c == quote && !is_long => return at,
            c if c == quote
                && content[at..].starts_with(&[quote; 3].iter().collect::<String>()) =>
            {
                return at;
            }
            _ => {}
        }
    }
    content.len()
}

fn line_len(text: &str) -> usize {
    text.find(['\n', '\r']).unwrap_or(text.len())
}

fn is_bare(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

/// Whether a character steers a terminal or hides others.
fn is_steering(c: char) -> bool {
    let is_direction =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    is_direction || (c.is_control() && !['\n', '\r', '\t'].contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_not_shown() {
        for (text, expected) in [
            ("name = \"garage\"", "name = \"garage\""),
            ("worker_threads = 0 # why?", "worker_threads = 0 #…"),
            (
                "source = \"http://me:secret@cam/v\"",
                "source = \"http://***@cam/v\"",
            ),
            ("source = \"rtps://me:secret@cam/v\"", "source = \"rtps:…\""),
            ("source = \"secret\"", "source = \"…\""),
            ("source = 'exec:a secret'", "source = 'exec:a (1 argument)'"),
            ("source = http://me:secret@cam/v", "source = …"),
            (
                "source = \"http://me:secret@cam/v",
                "source = \"http://***@cam/v",
            ),
            (
                "fallback = [\n  \"tcp://a:1\",\n  \"x:secret@b\"]",
                "fallback = [\n  \"tcp://a:1\",\n  \"x:…\"]",
            ),
            ("password = \"secret\"", "password = \"…\""),
            ("password = 12345", "password = …"),
            ("pass = '''a\nsecret\n'''", "pass = '''…\n\n'''"),
            ("a.token = \"se\\\"cret\"", "a.token = \"…\""),
            ("name = \"http://me:secret@cam/\"", "name = \"…\""),
            ("max_viewers = secret@cam", "max_viewers = …"),
            ("http://me:secret@cam", "…"),
            (
                "tls = { certificate = \"/a\", pin = \"secret\" }",
                "tls = { certificate = \"/a\", pin = \"…\" }",
            ),
            (
                "origins = [\"https://page.example\"]",
                "origins = [\"https://page.example\"]",
            ),
            ("\"sour ce\" = \"secret\"", "\"…\" = \"…\""),
            ("name = \"a\u{1b}[2Jb\"", "name = \"a\u{fffd}[2Jb\""),
        ] {
            assert_eq!(Masked::new(text, true).as_str(), expected, "{text}");
        }
        for (text, expected) in [
            (
                "name = \"garage\nmax_fps = 1",
                "name = \"garage\nmax_fps = 1",
            ),
            (
                "[[streams]\nsource = \"http://cam",
                "[[streams]\nsource = …",
            ),
            ("source = [\n  \"tcp://a:1\",\n]", "source = …\n…\n…"),
            ("x = 1 secret", "x = …"),
            ("secret\r\n\r\n", "…\r\n\r\n"),
            ("name = \"a\" secret@cam", "name = …"),
        ] {
            assert_eq!(Masked::new(text, false).as_str(), expected, "{text}");
        }
    }

    #[test]
    fn spans_follow_what_was_replaced() {
        let text = "source = \"http://me:secret@cam/v\" x\nname = 1";
        let masked = Masked::new(text, true);
        let part = |span: Range<usize>| &masked.as_str()[masked.span(&span)];
        let value = text.find('"').unwrap()..text.find(" x").unwrap();
        assert_eq!(part(value), "\"http://***@cam/v\"");
        let name = text.find("name").unwrap();
        assert_eq!(part(name..name + 4), "name");
        assert_eq!(part(0..6), "source");
    }
}
