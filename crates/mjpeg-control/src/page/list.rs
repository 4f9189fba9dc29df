//! The list of streams in the page's text, which is there without scripts.

use std::{fmt::Write, ops::Range};

/// A stream, as the page's text lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedStream {
    name: String,
    state: String,
}

impl ListedStream {
    /// Makes the entry of a stream. Both may hold any text.
    pub fn new(name: impl Into<String>, state: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            state: state.into(),
        }
    }
}

/// The streams as a list.
pub(super) fn html(streams: &[ListedStream], has_links: bool) -> String {
    let mut text = String::from("<ul>\n");
    for stream in streams {
        let (name, state) = (escaped(&stream.name), escaped(&stream.state));
        // Writing to a string does not fail.
        let _ = match has_links {
            true => writeln!(
                text,
                "<li><a href=\"{name}/\">{name}</a> (<a href=\"{name}/snapshot\">picture</a>): \
                 {state}"
            ),
            false => writeln!(text, "<li>{name}: {state}"),
        };
    }
    text += "</ul>\n";
    text
}

/// Where the list's place begins and ends in a page, if it has one.
pub(super) fn place(page: &[u8]) -> Option<Range<usize>> {
    let at = page
        .windows(PLACE.len())
        .position(|window| window == PLACE)?;
    Some(at..at + PLACE.len())
}

/// A copy of the page with the list in this place.
pub(super) fn insert(page: &[u8], place: Range<usize>, list: &str) -> Vec<u8> {
    [&page[..place.start], list.as_bytes(), &page[place.end..]].concat()
}

/// A text as HTML, in an element or a quoted attribute.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            _ => escaped.push(c),
        }
    }
    escaped
}

const PLACE: &[u8] = b"<!-- streams -->";
