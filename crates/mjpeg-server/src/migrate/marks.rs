//! Characters that stand for variables whose values are not known.
//!
//! A URL is taken apart with its variables in it. Their values may hold anything, so each is one
//! character that stands nowhere else.

use std::ops::RangeInclusive;

/// The variables that were found, each with the character that stands for it.
#[derive(Default)]
pub(super) struct Marks(Vec<String>);

impl Marks {
    /// Puts marks in place of variables: of each `begin` + NAME + `}`, where NAME is a plain name
    /// that `is_known` knows. What follows a colon in it is a default, which is dropped.
    ///
    /// # Errors
    ///
    /// If the text has such characters itself, or there are too many variables.
    pub(super) fn mark(
        &mut self,
        text: &str,
        begin: &str,
        is_known: impl Fn(&str) -> bool,
    ) -> Result<String, String> {
        if text.contains(|c| MARKS.contains(&c)) {
            return Err("it has characters for private use".into());
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(begin) {
            let (before, after) = (&rest[..at], &rest[at + begin.len()..]);
            let end = after.bytes().take(MOST_REFERENCE).position(|b| b == b'}');
            let inner = end.map_or("", |end| &after[..end]);
            let name = inner.split_once(':').map_or(inner, |(name, _)| name);
            out += before;
            if is_name(name) && is_known(name) {
                out.push(self.of(name)?);
                rest = &after[inner.len() + 1..];
            } else {
                out += begin;
                rest = after;
            }
        }
        Ok(out + rest)
    }

    /// The variable that a character stands for.
    pub(super) fn variable(&self, c: char) -> Option<&str> {
        let at = u32::from(c).checked_sub(u32::from(*MARKS.start()))?;
        self.0.get(usize::try_from(at).ok()?).map(String::as_str)
    }

    /// The same text for people.
    pub(super) fn shown(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            match self.variable(c) {
                Some(name) => out += &format!("${{env:{name}}}"),
                None => out.push(c),
            }
        }
        out
    }

    fn of(&mut self, name: &str) -> Result<char, String> {
        let at = match self.0.iter().position(|known| known == name) {
            Some(at) => at,
            None if self.0.len() >= MOST => return Err("there are too many variables".into()),
            None => {
                self.0.push(name.into());
                self.0.len() - 1
            }
        };
        let code = u32::try_from(at)
            .ok()
            .map(|at| u32::from(*MARKS.start()) + at);
        let mark = code.and_then(char::from_u32);
        mark.ok_or_else(|| "there are too many variables".into())
    }
}

/// Whether `${env:NAME}` can name such a variable.
fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (1..=128).contains(&name.len()) && name.chars().all(is_plain)
}

/// A plane of Unicode in which no character means anything.
const MARKS: RangeInclusive<char> = '\u{F0000}'..='\u{FFFFD}';

/// The longest name with its default.
const MOST_REFERENCE: usize = 128;

/// The most variables of all files.
const MOST: usize = 1000;
