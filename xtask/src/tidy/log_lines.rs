//! Every line of the log of level info or higher is in a table of docs/logs.md, and nothing else.

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{LitStr, Macro};

use crate::tidy::attributes::parse_without_tests;

/// The page with the table.
pub(super) const PAGE: &str = "docs/logs.md";

/// A message that is not constant.
struct Exempt {
    message: &'static str,
    why: &'static str,
}

/// Messages with data in them, which elsewhere is in fields.
const EXEMPT: &[Exempt] = &[Exempt {
    message: "configuration reloaded: {summary} in {took_ms} ms",
    why: "people look for it; its fields have the same data",
}];

/// The lines that the product's sources log.
#[derive(Default)]
pub(super) struct LogLines {
    logged: Vec<Logged>,
    problems: Vec<String>,
}

struct Logged {
    place: String,
    line: LogLine,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct LogLine {
    message: String,
    level: String,
    fields: BTreeSet<String>,
}

impl LogLines {
    /// Adds a file. One that cannot be parsed logs nothing; other checks report it.
    pub(super) fn add(&mut self, file: &str, text: &str) {
        let Ok(syntax) = parse_without_tests(text) else {
            return;
        };
        let mut finder = Finder::default();
        finder.visit_file(&syntax);
        for (name, arguments) in finder.calls {
            let place = format!("{file}:{}", name.span().start().line);
            match log_line(&name.to_string(), arguments) {
                Some(line) if is_constant(&line.message) => {
                    self.logged.push(Logged { place, line });
                }
                _ => self.problems.push(format!(
                    "{place}: `{name}!` has no constant message; put the data into fields"
                )),
            }
        }
    }

    /// A problem for each line that only the sources or only the page has.
    pub(super) fn check(&self, page: &str) -> Vec<String> {
        let rows: Vec<_> = rows(page).collect();
        let mut problems = self.problems.clone();
        for Logged { place, line } in &self.logged {
            if !rows.iter().any(|(_, row)| row == line) {
                problems.push(format!("{place}: {PAGE} has no row {}", shown(line)));
            }
        }
        for (number, row) in &rows {
            if !self.logged.iter().any(|logged| logged.line == *row) {
                problems.push(format!("{PAGE}:{number}: nothing logs {}", shown(row)));
            }
        }
        for Exempt { message, why } in EXEMPT {
            if !self
                .logged
                .iter()
                .any(|logged| logged.line.message == *message)
            {
                problems.push(format!("`{message}` needs no exemption ({why}); remove it"));
            }
        }
        problems
    }
}

fn is_constant(message: &str) -> bool {
    !message.contains(['{', '}']) || EXEMPT.iter().any(|exempt| exempt.message == message)
}

fn shown(line: &LogLine) -> String {
    let fields = line.fields.iter().map(|field| format!("`{field}`"));
    let fields = fields.collect::<Vec<_>>().join(", ");
    format!("| `{}` | {} | {fields} |", line.message, line.level)
}

/// The rows of a page's table, with the numbers of their lines.
fn rows(page: &str) -> impl Iterator<Item = (usize, LogLine)> {
    page.lines().enumerate().filter_map(|(at, line)| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let ["", message, level, fields, ..] = *cells else {
            return None;
        };
        let message = message.strip_prefix('`')?.strip_suffix('`')?.to_owned();
        let level = LEVELS.contains(&level).then(|| level.to_owned())?;
        let fields = fields.split('`').skip(1).step_by(2).map(str::to_owned);
        let fields = fields.collect();
        Some((
            at + 1,
            LogLine {
                message,
                level,
                fields,
            },
        ))
    })
}

/// What a call logs. `None` if it has no message.
fn log_line(level: &str, arguments: TokenStream) -> Option<LogLine> {
    let mut fields = BTreeSet::new();
    for argument in split(arguments) {
        match &*argument {
            [TokenTree::Literal(text)] => {
                let message: LitStr = syn::parse_str(&text.to_string()).ok()?;
                let (message, level) = (message.value(), level.to_owned());
                return Some(LogLine {
                    message,
                    level,
                    fields,
                });
            }
            // As in `target: "x"`.
            [TokenTree::Ident(_), TokenTree::Punct(colon), ..] if colon.as_char() == ':' => {}
            tokens => {
                fields.insert(field(tokens));
            }
        }
    }
    None
}

/// The name of a field: of `%name`, `name = value` and the like.
fn field(tokens: &[TokenTree]) -> String {
    let is = |token: &TokenTree, chars: &[char]| matches!(token, TokenTree::Punct(p) if chars.contains(&p.as_char()));
    let sigil = tokens.iter().take_while(|token| is(token, &['%', '?']));
    let name = tokens[sigil.count()..].iter();
    let name = name.take_while(|token| !is(token, &['=']));
    name.map(ToString::to_string).collect()
}

/// Splits at commas.
fn split(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut arguments = vec![Vec::new()];
    for token in tokens {
        match token {
            TokenTree::Punct(comma) if comma.as_char() == ',' => arguments.push(Vec::new()),
            token => arguments.last_mut().expect("never empty").push(token),
        }
    }
    arguments.retain(|argument| !argument.is_empty());
    arguments
}

/// Finds the calls of macros that log, also within other macros.
#[derive(Default)]
struct Finder {
    calls: Vec<(Ident, TokenStream)>,
}

impl Finder {
    fn scan(&mut self, tokens: TokenStream) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        for window in tokens.windows(3) {
            if let [
                TokenTree::Ident(name),
                TokenTree::Punct(bang),
                TokenTree::Group(group),
            ] = window
                && bang.as_char() == '!'
                && is_log(name)
            {
                self.calls.push((name.clone(), group.stream()));
            }
        }
        for token in tokens {
            if let TokenTree::Group(group) = token {
                self.scan(group.stream());
            }
        }
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_macro(&mut self, call: &'ast Macro) {
        match call.path.segments.last() {
            Some(name) if is_log(&name.ident) => {
                self.calls.push((name.ident.clone(), call.tokens.clone()));
            }
            _ => self.scan(call.tokens.clone()),
        }
        visit::visit_macro(self, call);
    }
}

fn is_log(name: &Ident) -> bool {
    LEVELS.iter().any(|level| name == level)
}

/// The macros, which are called like their levels.
const LEVELS: [&str; 3] = ["info", "warn", "error"];

#[cfg(test)]
mod tests {
    use super::*;

    /// Without what is said of exemptions, which no source here uses.
    fn problems(source: &str, page: &str) -> Vec<String> {
        let mut lines = LogLines::default();
        lines.add("x.rs", source);
        let mut problems = lines.check(page);
        problems.retain(|problem| !problem.contains("exemption"));
        problems
    }

    const SOURCE: &str = r#"
        fn f() {
            info!(%stream, source = %s.label(), a.b = ?x, seconds, "it \
                   starts");
            tokio::select! { () = x => { tracing::warn!("no | `fields`") } }
            debug!("{what}");
        }
        #[cfg(test)] mod tests { fn f() { error!("only in tests {x}"); } }"#;

    #[test]
    fn table_with_all_lines_is_right_whatever_else_the_page_says() {
        let source = SOURCE.replace("no | `fields`", "no fields");
        let page = "| message | level | fields |\n|---|---|---|\n\
                    | `it starts` | info | `seconds`, `stream`, `source`, `a.b` | at the start |\n\
                    | `no fields` | warn | | never |\n| `other` | `table` | x |";
        assert!(problems(&source, page).is_empty());
    }

    #[test]
    fn line_without_row_and_row_without_line_are_reported_with_their_places() {
        let source = "\nfn f() { warn!(%error, \"gone\"); }";
        for (row, why) in [
            ("", "no row"),
            ("| `other` | warn | `error` | |", "another message"),
            ("| `gone` | info | `error` | |", "another level"),
            ("| `gone` | warn | | |", "a field is missing"),
            ("| `gone` | warn | `error` `stream` | |", "a field too many"),
        ] {
            let problems = problems(source, row);
            let expected = "x.rs:2: docs/logs.md has no row | `gone` | warn | `error` |";
            assert_eq!(problems[0], expected, "{why}");
            if !row.is_empty() {
                assert!(
                    problems[1].starts_with("docs/logs.md:1: nothing logs | `"),
                    "{why}"
                );
            }
        }
    }

    #[test]
    fn data_in_a_message_is_reported() {
        for call in ["info!(\"{x}\")", "warn!(%x)", "error!(x, \"{} y\", z)"] {
            let problems = problems(&format!("fn f() {{ {call}; }}"), "");
            assert_eq!(problems.len(), 1, "{call}");
            assert!(problems[0].contains("no constant message"), "{call}");
        }
    }
}
