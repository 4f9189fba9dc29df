//! What no compiler checks: manifests, file sizes, docs, examples, test data.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result};
use cargo_metadata::{DependencyKind, Package, TargetKind};

use crate::examples;
use crate::util::{Workspace, files, files_with, folder, published, read, targets, verdict};

/// Lines of code, tests not counted, from which a file is worth a second look.
const LINES_WORTH_A_LOOK: usize = 300;
const LINES_AT_MOST: usize = 500;

/// What the front page promises a newcomer: to be changed only together with the program.
const README_COMMANDS: [&str; 2] = [
    "cargo run --release -p mjpeg-server -- demo",
    "cargo xtask ci --install",
];

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let members = workspace.members();
    let mut problems = root_manifest(&read(&workspace.root().join("Cargo.toml"))?);
    problems.extend(readmes(workspace, &members)?);
    for package in &members {
        let manifest = read(package.manifest_path.as_std_path())?;
        let name = &package.name;
        if !section(&manifest, "lints").any(|line| key(line, "workspace") == Some("true")) {
            problems.push(format!(
                "{name}: its Cargo.toml lacks `[lints] workspace = true`"
            ));
        }
        problems.extend(dependencies(package));
        if published(package) {
            problems.extend(publishable(package, &manifest));
        }
        problems.extend(sources(workspace, package)?);
        problems.extend(test_data(package)?);
    }
    let examples = members.iter().flat_map(|package| {
        let examples = targets(package, TargetKind::Example);
        examples.into_iter().map(|e| (package.name.as_str(), e))
    });
    problems.extend(examples::clashes(examples));
    verdict("tidy", &problems)
}

/// Internal crates are stated once, with a path for us and a version for who takes them from a
/// registry.
fn root_manifest(manifest: &str) -> Vec<String> {
    let internal = section(manifest, "workspace.dependencies").filter(|l| l.contains("path ="));
    internal
        .filter(|line| !line.contains("version ="))
        .map(|line| format!("Cargo.toml: `{line}` has a path but no version"))
        .collect()
}

fn dependencies(package: &Package) -> Vec<String> {
    let name = &package.name;
    let ours = package.dependencies.iter().filter(|d| d.path.is_some());
    let problem = |d: &cargo_metadata::Dependency| {
        let versioned = d.req.to_string() != "*";
        let testkit = d.name == "mjpeg-testkit";
        match (published(package), d.kind == DependencyKind::Development) {
            // Cargo drops a path-only dev-dependency when it packs; one with a version would have
            // to be on the registry.
            (true, true) if testkit && versioned => Some(format!(
                "{name}: its dev-dependency on {} must be by path alone, it is never published",
                d.name
            )),
            (true, false) if !versioned => Some(format!(
                "{name}: its dependency on {} lacks a version; use `{}.workspace = true`",
                d.name, d.name
            )),
            _ => None,
        }
    };
    ours.filter_map(problem).collect()
}

/// What a crate must have before strangers may depend on it.
fn publishable(package: &Package, manifest: &str) -> Vec<String> {
    let mut lacks = Vec::new();
    for file in ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"] {
        let path = folder(package).join(file);
        if !path.is_file() || path.metadata().is_ok_and(|m| m.len() == 0) {
            lacks.push(format!("a {file} (or it is empty)"));
        }
    }
    if package
        .description
        .as_ref()
        .is_none_or(|text| text.is_empty())
    {
        lacks.push("a description in its Cargo.toml".to_owned());
    }
    if !section(manifest, "package").any(|line| key(line, "include").is_some()) {
        lacks.push("`include` in its Cargo.toml".to_owned());
    }
    if targets(package, TargetKind::Example).is_empty() {
        lacks.push("an example in examples/".to_owned());
    }
    lacks
        .into_iter()
        .map(|what| format!("{}: lacks {what}", package.name))
        .collect()
}

/// The minimum Rust version stands in one place, so no README repeats it.
fn readmes(workspace: &Workspace, members: &[&Package]) -> Result<Vec<String>> {
    let root = workspace.root();
    let front = root.join("README.md");
    let mut problems = Vec::new();
    let text = if front.is_file() {
        read(&front)?
    } else {
        String::new()
    };
    for command in README_COMMANDS
        .iter()
        .filter(|command| !text.contains(*command))
    {
        problems.push(format!("README.md: the command `{command}` is not in it"));
    }
    let mut folders: BTreeSet<_> = members.iter().map(|p| folder(p)).collect();
    let fuzz = root.join("fuzz");
    folders.extend([root, &fuzz]);
    let msrv = members.iter().find_map(|p| p.rust_version.as_ref());
    let msrv = msrv.context("no rust-version in the manifests")?;
    for path in folders
        .iter()
        .map(|folder| folder.join("README.md"))
        .filter(|p| p.is_file())
    {
        if mentions_version(&read(&path)?, msrv.major, msrv.minor) {
            problems.push(format!(
                "{}: repeats the minimum Rust version; only Cargo.toml states it",
                shown(workspace, &path)
            ));
        }
    }
    Ok(problems)
}

fn sources(workspace: &Workspace, package: &Package) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    let product = folder(package).starts_with(workspace.root().join("crates"));
    for path in files_with(&folder(package).join("src"), "rs")? {
        let text = read(&path)?;
        let shown = shown(workspace, &path);
        let lines = lines_of_code(&text);
        if lines > LINES_AT_MOST {
            problems.push(format!(
                "{shown}: {lines} lines before its tests, {LINES_AT_MOST} at most; split it by role"
            ));
        } else if lines > LINES_WORTH_A_LOOK {
            println!("   note: {shown} has {lines} lines before its tests");
        }
        if !text.starts_with("//!") {
            problems.push(format!(
                "{shown}: does not start with `//!` docs that say what it is for"
            ));
        }
        if product {
            let left = leftovers(&text);
            problems.extend(left.map(|(line, what)| {
                format!("{shown}:{line}: `{what}`; do it now or open an issue")
            }));
        }
    }
    Ok(problems)
}

/// A fixture that nothing mentions tests nothing and cannot be traced to its source.
fn test_data(package: &Package) -> Result<Vec<String>> {
    let home = folder(package);
    let data = home.join("tests/data");
    let mut mentions = String::new();
    for path in files(home)? {
        if path.extension().is_some_and(|e| e == "rs" || e == "md") {
            mentions.push_str(&read(&path)?);
        }
    }
    let names = files(&data)?.into_iter().filter_map(|path| {
        let name = path.file_name()?.to_str()?.to_owned();
        (!name.ends_with(".md")).then_some(name)
    });
    let unused = names.filter(|name| !mentions.contains(name.as_str()));
    let unused = unused.map(|name| {
        format!(
            "{}: no .rs or .md file mentions tests/data/**/{name}",
            package.name
        )
    });
    Ok(unused.collect())
}

fn shown(workspace: &Workspace, path: &Path) -> String {
    path.strip_prefix(workspace.root())
        .unwrap_or(path)
        .display()
        .to_string()
}

/// Lines before the module of unit tests, if there is one.
fn lines_of_code(text: &str) -> usize {
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

/// Does the text name this version, as `1.88`, `1.88.0` or `1.88+`, but not `11.88` or `1.880`?
fn mentions_version(text: &str, major: u64, minor: u64) -> bool {
    let version = format!("{major}.{minor}");
    text.match_indices(&version).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        let joins = |c: char| c.is_ascii_digit() || c == '.';
        !before.is_some_and(joins) && !after.is_some_and(|c| c.is_ascii_digit())
    })
}

/// The lines of one table of a manifest. Enough of TOML for manifests as we write them.
fn section<'t>(manifest: &'t str, table: &str) -> impl Iterator<Item = &'t str> {
    let header = format!("[{table}]");
    let lines = manifest.lines().map(str::trim);
    let inside = lines.skip_while(move |line| *line != header).skip(1);
    inside.take_while(|line| !line.starts_with('['))
}

/// The value in `key = value`.
fn key<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    let value = line.strip_prefix(name)?.trim_start().strip_prefix('=')?;
    Some(value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[package]\nname = \"x\"\ninclude = [\n\"src\"]\n\n[lints]\n\
                            workspace = true\n[features]\nworkspace = []\n";

    #[test]
    fn a_table_ends_where_the_next_begins() {
        let lints: Vec<_> = section(MANIFEST, "lints").collect();
        assert_eq!(lints, ["workspace = true"]);
        assert_eq!(section(MANIFEST, "absent").count(), 0);
    }

    #[test]
    fn keys_are_matched_whole() {
        assert_eq!(key("include = [", "include"), Some("["));
        assert_eq!(key("includes = 1", "include"), None);
    }

    #[test]
    fn an_internal_crate_needs_path_and_version() {
        let manifest = "[workspace.dependencies]\na = { path = \"a\", version = \"0.1\" }\n\
                        b = { path = \"b\" }\nc = \"1\"\n";
        let problems = root_manifest(manifest);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].contains("`b = "));
    }

    #[test]
    fn only_the_test_module_is_not_counted() {
        assert_eq!(lines_of_code("a\nb\n#[cfg(test)]\nmod tests {\n}\n"), 2);
        // A helper compiled for tests is code that somebody reads.
        assert_eq!(lines_of_code("#[cfg(test)]\nuse x;\na\nb\n"), 4);
        assert_eq!(lines_of_code("#[cfg(test)]\nmod testing;\na\n"), 3);
    }

    #[test]
    fn marks_of_unfinished_work_are_found_with_their_lines() {
        let text = "fn a() {}\n// TODO: more\n    todo!()\nlet method_todos = 1;\n";
        let found: Vec<_> = leftovers(text).collect();
        assert_eq!(found, [(2, "TODO"), (3, "todo!(")]);
    }

    #[test]
    fn a_version_is_a_number_not_a_part_of_one() {
        for text in ["Rust 1.88", "needs 1.88.0 or newer", "(1.88+)", "1.88."] {
            assert!(mentions_version(text, 1, 88), "{text}");
        }
        for text in ["11.88", "1.880", "0.1.88", "1.8", "1.9"] {
            assert!(!mentions_version(text, 1, 88), "{text}");
        }
    }
}
