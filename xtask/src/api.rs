//! Public API snapshots: `public-api/CRATE.txt` lists each published crate's API, one item per
//! line. A change of the API and of its snapshot are one commit, so that reviewers see it.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context as _, Result};
use xshell::cmd;

use crate::tools::tool;
use crate::util::{Workspace, files_with, read, verdict};

/// Compares all snapshots, or rewrites them with `bless`.
pub(crate) fn run(workspace: &Workspace, bless: bool) -> Result<()> {
    let folder = workspace.root().join("public-api");
    let nightly = tool::nightly(&workspace.sh)
        .context("no fit nightly toolchain; `cargo xtask ci --install` fetches it")?;
    let mut problems = Vec::new();
    let mut expected = BTreeSet::new();
    for package in workspace.published() {
        let name = package.name.as_str();
        let path = folder.join(format!("{name}.txt"));
        expected.insert(path.clone());
        let actual = public_api(workspace, &nightly, name)?;
        if bless {
            fs::create_dir_all(&folder)?;
            fs::write(&path, actual).with_context(|| format!("writing {}", path.display()))?;
            continue;
        }
        if !path.exists() {
            problems.push(format!("public-api/{name}.txt is missing; {BLESS}"));
            continue;
        }
        if let Some(diff) = difference(&read(&path)?, &actual) {
            problems.push(format!(
                "{name}'s public API is not what public-api/{name}.txt says:\n{diff}  \
                 if that is meant, note it in {name}'s CHANGELOG.md; {BLESS}"
            ));
        }
    }
    for stale in files_with(&folder, "txt")? {
        if expected.contains(&stale) {
            continue;
        }
        if bless {
            fs::remove_file(&stale)?;
        } else {
            problems.push(format!(
                "{} belongs to no published crate; {BLESS}",
                stale.display()
            ));
        }
    }
    verdict("api", &problems)
}

const BLESS: &str = "accept the API as it is with `cargo xtask api --bless`";

/// The API with all features. Private features are hidden from docs, and so from this list. Impls
/// that the compiler adds to each type are omitted, because they would hide real changes. Derived
/// impls stay, because users rely on them.
fn public_api(workspace: &Workspace, nightly: &str, package: &str) -> Result<String> {
    let sh = &workspace.sh;
    let omit = "blanket-impls,auto-trait-impls";
    let api = cmd!(
        sh,
        "cargo {nightly} public-api --package {package} --all-features --omit {omit} --color never"
    )
    // It prints much on stderr, which is of interest only if it fails.
    .quiet()
    .output()
    .with_context(|| format!("reading the public API of {package}; does it compile?"))?;
    let mut api = String::from_utf8(api.stdout)?;
    if !api.ends_with('\n') {
        api.push('\n');
    }
    Ok(api)
}

/// The removed and added lines, sorted together, so that the two forms of a changed item are
/// adjacent. `None` if nothing differs.
fn difference(snapshot: &str, actual: &str) -> Option<String> {
    if snapshot == actual {
        return None;
    }
    let before: BTreeSet<&str> = snapshot.lines().collect();
    let after: BTreeSet<&str> = actual.lines().collect();
    let mut lines: Vec<(&str, char)> = before.difference(&after).map(|l| (*l, '-')).collect();
    lines.extend(after.difference(&before).map(|l| (*l, '+')));
    lines.sort_unstable();
    if lines.is_empty() {
        return Some("    only the order or the number of equal lines differs\n".to_owned());
    }
    Some(
        lines
            .iter()
            .map(|(line, sign)| format!("    {sign} {line}\n"))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_equal_api_has_no_difference() {
        assert_eq!(difference("a\nb\n", "a\nb\n"), None);
    }

    #[test]
    fn a_changed_item_stands_beside_its_old_form() {
        let before = "pub fn x::a()\npub fn x::gone()\npub fn x::len() -> u32\n";
        let after = "pub fn x::a()\npub fn x::len() -> usize\npub fn x::new()\n";
        assert_eq!(
            difference(before, after).unwrap(),
            "    - pub fn x::gone()\n    - pub fn x::len() -> u32\n    + pub fn x::len() -> usize\n    \
             + pub fn x::new()\n"
        );
    }

    #[test]
    fn a_mere_reordering_is_still_a_difference() {
        assert!(difference("a\nb\n", "b\na\n").unwrap().contains("order"));
    }
}
