//! Comments are at most as wide as code.
//!
//! rustfmt wraps code at 100 columns, but does not change comments.

/// The columns of a line with a comment, including indentation.
const COLUMNS_AT_MOST: usize = 100;

/// A problem for each line that is too long and has a comment. A comment that is a single word may
/// be longer, because links cannot be wrapped.
pub(super) fn check(file: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let mut scanner = Scanner::default();
    for (index, line) in text.lines().enumerate() {
        let comment = scanner.comment_of(line);
        let columns = line.chars().count();
        let is_word = |comment: &str| {
            let mut words = comment.split_whitespace();
            // The marker, an optional label, the link.
            let link = words.next_back().is_some_and(|word| word.contains("://"));
            link && words.count() <= 2
        };
        if columns > COLUMNS_AT_MOST && comment.is_some_and(|comment| !is_word(comment)) {
            problems.push(format!(
                "{file}:{}: a comment of {columns} columns, {COLUMNS_AT_MOST} at most; wrap it",
                index + 1
            ));
        }
    }
    problems
}

/// Finds comments line by line: `//` and `/*` outside literals.
#[derive(Default)]
struct Scanner {
    state: State,
}

/// The construct that continues beyond the end of a line.
#[derive(Clone, Copy, Default)]
enum State {
    #[default]
    Code,
    /// `/*`, nested this deep.
    Block(usize),
    /// `"…"`
    Text,
    /// `r#"…"#` with this many `#`.
    RawText(usize),
}

impl Scanner {
    /// The comment of the next line, with its marker.
    fn comment_of<'l>(&mut self, line: &'l str) -> Option<&'l str> {
        let mut comment = None;
        let mut rest = line;
        // Whether the last character before `rest` is part of a name.
        let mut in_name = false;
        loop {
            match self.state {
                State::Block(depth) => {
                    comment = comment.or(Some(rest));
                    let Some(at) = first_of(rest, &["/*", "*/"]) else {
                        return comment;
                    };
                    self.state = match (rest[at..].starts_with("/*"), depth) {
                        (true, depth) => State::Block(depth + 1),
                        (false, 1) => State::Code,
                        (false, depth) => State::Block(depth - 1),
                    };
                    rest = &rest[at + 2..];
                }
                State::Text => {
                    let Some(at) = rest.find(['\\', '"']) else {
                        return comment;
                    };
                    let after = &rest[at + 1..];
                    if rest[at..].starts_with('"') {
                        self.state = State::Code;
                        rest = after;
                    } else {
                        rest = after.get(first_len(after)..).unwrap_or_default();
                    }
                }
                State::RawText(hashes) => {
                    let end = format!("\"{}", "#".repeat(hashes));
                    let Some(at) = rest.find(&end) else {
                        return comment;
                    };
                    self.state = State::Code;
                    rest = &rest[at + end.len()..];
                }
                State::Code => {
                    let Some(first) = rest.chars().next() else {
                        return comment;
                    };
                    if rest.starts_with("//") {
                        return Some(rest);
                    }
                    let mut len = first.len_utf8();
                    let raw = if in_name { None } else { raw_text(rest) };
                    if rest.starts_with("/*") {
                        comment = comment.or(Some(rest));
                        (self.state, len) = (State::Block(1), 2);
                    } else if let Some((hashes, start)) = raw {
                        (self.state, len) = (State::RawText(hashes), start);
                    } else if first == '"' {
                        self.state = State::Text;
                    } else if first == '\'' {
                        len = quoted_char(rest);
                    }
                    in_name = first.is_alphanumeric() || first == '_';
                    rest = &rest[len..];
                }
            }
        }
    }
}

fn first_of(text: &str, marks: &[&str]) -> Option<usize> {
    marks.iter().filter_map(|mark| text.find(mark)).min()
}

fn first_len(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

/// The number of `#` of a raw literal at the start, and the offset of its text.
fn raw_text(code: &str) -> Option<(usize, usize)> {
    let prefix = ["r", "br", "cr"].into_iter().find(|prefix| {
        let after = code.strip_prefix(prefix);
        after.is_some_and(|after| after.starts_with(['#', '"']))
    })?;
    let hashes = code[prefix.len()..]
        .bytes()
        .take_while(|&b| b == b'#')
        .count();
    let quote = prefix.len() + hashes;
    code[quote..]
        .starts_with('"')
        .then_some((hashes, quote + 1))
}

/// The length of the character literal at the start, or of only the quote if it begins a lifetime.
fn quoted_char(code: &str) -> usize {
    let inside = &code[1..];
    if inside.starts_with('\\') {
        // The escaped character may be a quote.
        let from = 2 + first_len(code.get(2..).unwrap_or_default());
        let end = code.get(from..).and_then(|rest| rest.find('\''));
        return end.map_or(code.len(), |end| from + end + 1);
    }
    let len = first_len(inside);
    if inside[len..].starts_with('\'') {
        len + 2
    } else {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line of this many columns.
    fn line(start: &str, columns: usize) -> String {
        let words = "é ".repeat(columns);
        start.chars().chain(words.chars()).take(columns).collect()
    }

    #[test]
    fn a_comment_over_100_columns_is_reported_with_its_line() {
        for marker in ["//", "    ///", "//!", "let x = 1; //", "/*"] {
            let long = format!("\n{}", line(marker, 101));
            let expected = "a.rs:2: a comment of 101 columns, 100 at most; wrap it";
            assert_eq!(check("a.rs", &long), [expected], "{marker}");
            assert!(check("a.rs", &line(marker, 100)).is_empty(), "{marker}");
        }
    }

    #[test]
    fn code_is_for_rustfmt_to_wrap() {
        let long = "é".repeat(101);
        for (start, end) in [
            ("let s = \"// ", "\";"),
            ("let s = \"\\\" // ", "\";"),
            ("let s = r#\"\" // ", "\"#;"),
            ("let c = ['\"', '\\'', '\\u{2f}', '/', \"// ", "\"];"),
            ("fn f<'a>(a: &'a str) { \"// ", "\" }"),
            ("let br = \"", "\";"),
        ] {
            assert!(
                check("a.rs", &format!("{start}{long}{end}")).is_empty(),
                "{start}"
            );
            // After the literal, code begins again.
            let behind = format!("{start}{end} // {}", line("", 120));
            assert_eq!(check("a.rs", &behind).len(), 1, "{behind}");
        }
    }

    #[test]
    fn literals_and_block_comments_go_on_over_lines() {
        let long = line("// ", 101);
        assert!(check("a.rs", &format!("let s = \"\n{long}\n\";")).is_empty());
        assert!(
            check(
                "a.rs",
                &format!("let s = r\"\\\n\";\n{long}").replace("// ", "x ")
            )
            .is_empty()
        );
        assert_eq!(
            check("a.rs", &format!("let s = r\"\\\n\";\n{long}")).len(),
            1
        );
        let block = format!("/* /* */\n{}\n*/\n{}", line("a ", 101), line("b ", 101));
        assert_eq!(check("a.rs", &block).len(), 1);
    }

    #[test]
    fn a_link_may_be_longer() {
        let link = format!("https://example.org/{}", "a".repeat(100));
        for text in ["// LINK", "//! [label]: LINK", "/// <LINK>"] {
            assert!(
                check("a.rs", &text.replace("LINK", &link)).is_empty(),
                "{text}"
            );
        }
        let text = format!("// See the standard: {link}");
        assert_eq!(check("a.rs", &text).len(), 1);
    }
}
