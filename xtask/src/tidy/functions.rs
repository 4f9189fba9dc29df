//! Functions are not too long.

use syn::visit::{self, Visit};
use syn::{Block, Ident, ImplItemFn, ItemFn, TraitItemFn};

use crate::tidy::attributes::parse_without_tests;

/// The maximum number of lines between the braces of a function.
const LINES_AT_MOST: usize = 60;

/// A function that may be longer.
pub(super) struct Exempt {
    /// The end of the file's path.
    pub(super) file: &'static str,
    pub(super) function: &'static str,
    pub(super) why: &'static str,
}

/// Functions that are clearer in one piece.
pub(super) const EXEMPT: &[Exempt] = &[Exempt {
    file: "mjpeg-codec/src/splitter/steps.rs",
    function: "markers",
    why: "one walk from marker to marker, each exit of it one case of T.81",
}];

/// A problem for each function that is too long. Removes the exemptions that the file uses from
/// `exempt`.
pub(super) fn check(file: &str, text: &str, exempt: &mut Vec<&Exempt>) -> Vec<String> {
    let syntax = match parse_without_tests(text) {
        Ok(syntax) => syntax,
        Err(error) => return vec![format!("{file}: {error}")],
    };
    let mut finder = Finder::default();
    finder.visit_file(&syntax);
    let long = finder
        .functions
        .into_iter()
        .filter(|f| f.lines > LINES_AT_MOST);
    let problems = long.filter_map(|Function { name, line, lines }| {
        let listed = |e: &&Exempt| file.ends_with(e.file) && name == e.function;
        if let Some(at) = exempt.iter().position(listed) {
            exempt.swap_remove(at);
            return None;
        }
        Some(format!(
            "{file}:{line}: `{name}` has {lines} lines, {LINES_AT_MOST} at most; make a struct \
             with a method per state of it, or smaller functions"
        ))
    });
    problems.collect()
}

/// A problem for each unused exemption.
pub(super) fn unused(exempt: &[&Exempt]) -> Vec<String> {
    let problem = |exempt: &&Exempt| {
        format!(
            "{}: `{}` needs no exemption from the {LINES_AT_MOST} lines ({}); remove it",
            exempt.file, exempt.function, exempt.why
        )
    };
    exempt.iter().map(problem).collect()
}

struct Function {
    name: String,
    line: usize,
    lines: usize,
}

#[derive(Default)]
struct Finder {
    functions: Vec<Function>,
}

impl Finder {
    fn add(&mut self, name: &Ident, body: &Block) {
        let (open, close) = (body.brace_token.span.open(), body.brace_token.span.close());
        self.functions.push(Function {
            name: name.to_string(),
            line: name.span().start().line,
            lines: close.start().line.saturating_sub(open.start().line + 1),
        });
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.add(&item.sig.ident, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.add(&item.sig.ident, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        if let Some(body) = &item.default {
            self.add(&item.sig.ident, body);
        }
        visit::visit_trait_item_fn(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Exempt = Exempt {
        file: "x/src/a.rs",
        function: "long",
        why: "a test",
    };

    fn function(before: &str, lines: usize) -> String {
        let body = "g();\n".repeat(lines);
        format!("{before}fn long() {{\n{body}}}\n")
    }

    #[test]
    fn a_function_over_60_lines_is_reported_with_its_line() {
        for (before, after) in [("", ""), ("impl A {", "}"), ("trait A {", "}")] {
            let text = |lines| format!("\n{before}\n{}{after}", function("", lines));
            let problems = check("x.rs", &text(61), &mut Vec::new());
            assert_eq!(problems.len(), 1, "{before}");
            assert!(problems[0].starts_with("x.rs:3: `long` has 61 lines, 60 at most"));
            assert!(check("x.rs", &text(60), &mut Vec::new()).is_empty());
        }
    }

    #[test]
    fn tests_may_be_long() {
        for (before, after) in [("#[test]", ""), ("#[cfg(test)] mod tests {", "}")] {
            let text = format!("{}{after}", function(before, 100));
            assert!(check("x.rs", &text, &mut Vec::new()).is_empty());
        }
    }

    #[test]
    fn an_exemption_is_for_one_function_and_must_be_needed() {
        let mut exempt = vec![&LONG];
        assert_eq!(
            check("crates/x/src/b.rs", &function("", 61), &mut exempt).len(),
            1
        );
        assert!(check("crates/x/src/a.rs", &function("", 60), &mut exempt).is_empty());
        assert_eq!(unused(&exempt).len(), 1);
        assert!(check("crates/x/src/a.rs", &function("", 61), &mut exempt).is_empty());
        assert!(unused(&exempt).is_empty());
    }
}
