//! Counts the lines of the Rust sources, by purpose.

use std::collections::BTreeMap;

use crate::tidy::files::lines_of_code;

/// The number of lines by kind, including blank lines and comments. Unit tests count as tests.
#[derive(Default)]
pub(super) struct Lines {
    kinds: BTreeMap<String, usize>,
}

impl Lines {
    /// Adds a file, whose path is relative to the workspace's root.
    pub(super) fn add(&mut self, file: &str, text: &str) {
        let folders: Vec<_> = file.split('/').collect();
        let kind = match folders[..] {
            ["crates", "mjpeg-testkit", ..] | ["crates", _, "tests", ..] => "tests",
            ["crates", _, "examples", ..] => "examples",
            ["crates", krate, ..] => krate,
            [top, ..] => top,
            [] => return,
        };
        let (all, code) = (text.lines().count(), lines_of_code(text));
        *self.kinds.entry(kind.to_owned()).or_default() += code;
        *self.kinds.entry("tests".to_owned()).or_default() += all - code;
    }

    /// Prints a row per kind, then the sum.
    pub(super) fn print(&self) {
        for (kind, lines) in &self.kinds {
            println!("{lines:>7} {kind}");
        }
        println!("{:>7} in all", self.kinds.values().sum::<usize>());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_counts_once_and_unit_tests_are_tests() {
        let mut lines = Lines::default();
        lines.add(
            "crates/a/src/lib.rs",
            "a\nb\n#[cfg(test)]\nmod tests {\n}\n",
        );
        lines.add("crates/a/tests/it/main.rs", "a\n");
        lines.add("crates/a/examples/x.rs", "a\n");
        lines.add("crates/mjpeg-testkit/src/lib.rs", "a\n");
        lines.add("kits/b/src/main.rs", "a\nb\n");
        let kinds = lines.kinds.iter().map(|(kind, &n)| (kind.as_str(), n));
        let expected = [("a", 2), ("examples", 1), ("kits", 2), ("tests", 5)];
        assert_eq!(kinds.collect::<Vec<_>>(), expected);
    }
}
