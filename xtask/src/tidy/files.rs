//! Source files: their length, their docs, and marks of unfinished work.

/// Lines of code, without tests, above which a file deserves a second look.
const LINES_WORTH_A_LOOK: usize = 300;
const LINES_AT_MOST: usize = 500;

/// A problem for each rule that the file breaks. `is_product` is whether it is in `crates/`.
pub(super) fn check(file: &str, text: &str, is_product: bool) -> Vec<String> {
    let mut problems = Vec::new();
    let lines = lines_of_code(text);
    if lines > LINES_AT_MOST {
        problems.push(format!(
            "{file}: {lines} lines before its tests, {LINES_AT_MOST} at most; split it by role"
        ));
    } else if lines > LINES_WORTH_A_LOOK {
        println!("   note: {file} has {lines} lines before its tests");
    }
    if !text.starts_with("//!") {
        problems.push(format!(
            "{file}: does not start with `//!` docs that say what it is for"
        ));
    }
    if is_product {
        let left = leftovers(text);
        problems.extend(
            left.map(|(line, what)| format!("{file}:{line}: `{what}`; do it now or open an issue")),
        );
    }
    problems
}

/// Lines before the module of unit tests, if there is one.
pub(super) fn lines_of_code(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let tests = lines.windows(2).position(|pair| {
        pair[0].trim() == "#[cfg(test)]" && pair[1].contains("mod ") && pair[1].ends_with('{')
    });
    tests.unwrap_or(lines.len())
}

/// Marks of unfinished work, with their lines.
fn leftovers(text: &str) -> impl Iterator<Item = (usize, &'static str)> {
    const MARKS: [&str; 4] = ["TODO", "FIXME", "todo!(", "dbg!("];
    text.lines().enumerate().flat_map(|(index, line)| {
        let found = MARKS.into_iter().filter(move |mark| line.contains(mark));
        found.map(move |mark| (index + 1, mark))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_test_module_is_not_counted() {
        assert_eq!(lines_of_code("a\nb\n#[cfg(test)]\nmod tests {\n}\n"), 2);
        // Not the module of unit tests, but a helper compiled for tests.
        assert_eq!(lines_of_code("#[cfg(test)]\nuse x;\na\nb\n"), 4);
        assert_eq!(lines_of_code("#[cfg(test)]\nmod testing;\na\n"), 3);
    }

    #[test]
    fn marks_of_unfinished_work_are_found_with_their_lines() {
        let text = "fn a() {}\n// TODO: more\n    todo!()\nlet method_todos = 1;\n";
        let found: Vec<_> = leftovers(text).collect();
        assert_eq!(found, [(2, "TODO"), (3, "todo!(")]);
    }
}
