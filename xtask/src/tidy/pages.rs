//! The pages on the code refer only to what exists, and their lines are not too wide.
//!
//! Checks links, and these names between backticks outside code blocks:
//!
//! * paths from the workspace's root, such as `crates/mjpeg-codec/src/splitter.rs`, and from the
//!   `src/` of a crate, such as `splitter/steps.rs` or `splitter/`;
//! * tests and functions, such as `limits::slow_viewer_is_kept`: the last modules, then the name;
//! * methods, fields and variants, such as `Splitter::poll`;
//! * commands, such as `cargo xtask tidy`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::util::read;

const PAGES: [&str; 3] = ["ARCHITECTURE.md", "CONTRIBUTING.md", "docs/decisions.md"];

const COLUMNS_AT_MOST: usize = 100;

/// Placeholders in paths.
const PLACEHOLDERS: [&str; 5] = ["CRATE", "NAME", "DIR", "FILE", "*"];

/// Crates whose paths the pages may mention.
const FOREIGN: [&str; 6] = ["std", "io", "tokio", "hyper", "http", "rustix"];

/// Checks every page.
pub(super) fn check(root: &Path, sources: &Sources) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for page in PAGES {
        let path = root.join(page);
        if !path.is_file() {
            problems.push(format!("{page}: does not exist"));
            continue;
        }
        let text = read(&path)?;
        problems.extend(wide(page, &text));
        let folder = Path::new(page).parent().unwrap_or(Path::new(""));
        for Mention { line, what } in mentions(&text) {
            let missing = match &what {
                What::Link(to) => {
                    let is_missing = !root.join(folder).join(to).exists();
                    is_missing.then(|| format!("the link to {to} leads nowhere"))
                }
                What::Code(code) => missing(code, root, sources),
            };
            problems.extend(missing.map(|what| format!("{page}:{line}: {what}")));
        }
    }
    Ok(problems)
}

/// A problem for each line that is too wide, except rows of tables, which cannot be wrapped.
fn wide(page: &str, text: &str) -> Vec<String> {
    let lines = text.lines().enumerate();
    let is_wide = |line: &str| !line.starts_with('|') && line.chars().count() > COLUMNS_AT_MOST;
    let wide = lines.filter(|(_, line)| is_wide(line));
    wide.map(|(index, line)| {
        let (line, columns) = (index + 1, line.chars().count());
        format!("{page}:{line}: {columns} columns, {COLUMNS_AT_MOST} at most; wrap it")
    })
    .collect()
}

/// The names in the workspace's Rust sources, found without parsing.
#[derive(Default)]
pub(super) struct Sources {
    /// For each function name, the modules that define it.
    functions: BTreeMap<String, Vec<Vec<String>>>,
    /// For each type, the words of all files that mention it.
    types: BTreeMap<String, BTreeSet<String>>,
    declared: BTreeSet<String>,
    commands: BTreeSet<String>,
}

impl Sources {
    /// Adds a file, whose path is relative to the workspace's root.
    pub(super) fn add(&mut self, file: &str, text: &str) {
        let path = file.trim_end_matches(".rs").trim_end_matches("/main");
        let modules: Vec<_> = path.split('/').map(str::to_owned).collect();
        let is_flags = file == "xtask/src/flags.rs";
        let mut words = BTreeSet::new();
        for line in text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
        {
            let mut before = "";
            let in_line = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            for word in in_line.filter(|word| !word.is_empty()) {
                match before {
                    "fn" => self
                        .functions
                        .entry(word.to_owned())
                        .or_default()
                        .push(modules.clone()),
                    "struct" | "enum" | "trait" | "type" | "union" => {
                        self.declared.insert(word.to_owned());
                    }
                    "cmd" if is_flags => drop(self.commands.insert(word.to_owned())),
                    _ => {}
                }
                before = word;
                words.insert(word.to_owned());
            }
        }
        for word in words
            .iter()
            .filter(|word| word.starts_with(char::is_uppercase))
        {
            let all = self.types.entry(word.clone()).or_default();
            all.extend(words.iter().cloned());
        }
    }

    /// Whether a module whose path ends with these names defines the function.
    fn has_function(&self, modules: &[&str], function: &str) -> bool {
        let modules = modules.strip_suffix(&["tests"]).unwrap_or(modules);
        let mut homes = self.functions.get(function).into_iter().flatten();
        homes.any(|home| {
            let home: Vec<_> = home.iter().map(String::as_str).collect();
            home.ends_with(modules)
        })
    }

    fn has_member(&self, of: &str, member: &str) -> bool {
        self.declared.contains(of)
            && self
                .types
                .get(of)
                .is_some_and(|words| words.contains(member))
    }
}

/// The problem with code that a page mentions.
fn missing(code: &str, root: &Path, sources: &Sources) -> Option<String> {
    if let Some(rest) = code.strip_prefix("cargo xtask ") {
        let command = rest.split(' ').next().unwrap_or_default();
        let is_missing = !sources.commands.contains(command);
        return is_missing.then(|| format!("there is no command `cargo xtask {command}`"));
    }
    if code.contains(|c: char| !c.is_ascii_alphanumeric() && !"_-./:*".contains(c)) {
        return None;
    }
    if let Some((before, name)) = code.rsplit_once("::") {
        let modules: Vec<_> = before.split("::").collect();
        let of = modules.last().copied().unwrap_or_default();
        if FOREIGN.contains(&modules[0]) {
            return None;
        }
        if of.starts_with(char::is_uppercase) {
            let is_missing = !sources.has_member(of, name);
            return is_missing.then(|| format!("there is no `{name}` of a type `{of}`"));
        }
        let is_missing = !sources.has_function(&modules, name);
        return is_missing.then(|| format!("no module {before} has a function `{name}`"));
    }
    let (top, _) = code.split_once('/')?;
    let is_room = code.ends_with(".rs") || code.ends_with('/');
    let is_ours = is_room || !top.is_empty() && root.join(top).exists();
    let is_pattern = code
        .split(['/', '.'])
        .any(|part| PLACEHOLDERS.contains(&part));
    if !is_ours || is_pattern || code.contains("//") || root.join(code).exists() {
        return None;
    }
    let in_crate = is_room && crates(root).any(|krate| krate.join("src").join(code).exists());
    (!in_crate).then(|| format!("`{code}` does not exist"))
}

/// The folders of the product's crates.
fn crates(root: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(root.join("crates")).into_iter().flatten();
    entries.flatten().map(|entry| entry.path())
}

struct Mention {
    line: usize,
    what: What,
}

enum What {
    /// Text between backticks.
    Code(String),
    /// The target of a link within the workspace, without its anchor.
    Link(String),
}

/// The code and links in a page, without code blocks.
fn mentions(text: &str) -> Vec<Mention> {
    let mut found = Vec::new();
    let mut in_block = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
            continue;
        }
        if in_block {
            continue;
        }
        let mut add = |what| {
            found.push(Mention {
                line: index + 1,
                what,
            })
        };
        for code in line.split('`').skip(1).step_by(2) {
            add(What::Code(code.to_owned()));
        }
        for rest in line.split("](").skip(1) {
            let to = rest.split([')', '#']).next().unwrap_or_default();
            if !to.is_empty() && !to.contains("://") {
                add(What::Link(to.to_owned()));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources() -> Sources {
        let mut sources = Sources::default();
        sources.add(
            "crates/x/tests/it/limits.rs",
            "#[test]\nfn slow_viewer_is_kept() {}\n// fn gone() {}",
        );
        sources.add(
            "crates/x/src/splitter.rs",
            "struct Splitter; impl Splitter { fn poll() {} }",
        );
        sources.add("crates/x/tests/it/main.rs", "fn first() {}");
        sources.add("xtask/src/flags.rs", "cmd tidy {}");
        sources
    }

    fn wrong(code: &str) -> Option<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        missing(code, root, &sources())
    }

    #[test]
    fn what_exists_may_be_mentioned() {
        for code in [
            "limits::slow_viewer_is_kept",
            "it::limits::slow_viewer_is_kept",
            "it::first",
            "splitter::poll",
            "Splitter::poll",
            "cargo xtask tidy --more",
            "xtask/src/tidy.rs",
            "xtask/src/tidy/",
            "splitter/steps.rs",
            "splitter/",
            "public-api/CRATE.txt",
            "image/jpeg",
            "std::sync::Mutex",
            "tcp://camera:1234",
            "a / b",
        ] {
            assert_eq!(wrong(code), None, "{code}");
        }
    }

    #[test]
    fn what_does_not_exist_is_reported() {
        for code in [
            "limits::gone",
            "admission::slow_viewer_is_kept",
            "x::limits::slow_viewer_is_kept",
            "Splitter::push",
            "Parser::poll",
            "cargo xtask tide",
            "xtask/src/untidy.rs",
            "splitter/untidy.rs",
            "untidy/",
            "public-api/untidy.txt",
            "elsewhere/untidy.rs",
        ] {
            assert!(wrong(code).is_some(), "{code}");
        }
    }

    #[test]
    fn a_wide_line_is_reported_but_not_a_row_of_a_table() {
        let (wide, row) = ("é".repeat(101), format!("|{}|", "a".repeat(100)));
        let text = format!("{row}\n{wide}\n{}", &wide[2..]);
        assert_eq!(
            super::wide("A.md", &text),
            ["A.md:2: 101 columns, 100 at most; wrap it"]
        );
    }

    #[test]
    fn mentions_have_their_lines_and_code_blocks_have_none() {
        let text = "a `b` c `d`\n```\n`e`\n```\n[f](g.md#h) [i](https://j) [k](#l) [m](n.md)";
        let found = mentions(text)
            .into_iter()
            .map(|Mention { line, what }| match what {
                What::Code(code) => format!("{line} {code}"),
                What::Link(to) => format!("{line} -> {to}"),
            });
        let found: Vec<_> = found.collect();
        assert_eq!(found, ["1 b", "1 d", "5 -> g.md", "5 -> n.md"]);
    }
}
