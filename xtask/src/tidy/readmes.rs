//! READMEs: the commands that the front page shows, and facts that READMEs must not repeat.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use cargo_metadata::Package;

use crate::util::{Workspace, folder, read};

/// The commands on the front page. Change them together with the program.
const README_COMMANDS: [&str; 2] = [
    "cargo run --release -p mjpeg-server -- demo",
    "cargo xtask ci --install",
];

/// The minimum Rust version is stated in one place, so READMEs must not repeat it.
pub(super) fn check(workspace: &Workspace, members: &[&Package]) -> Result<Vec<String>> {
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
                path.strip_prefix(root).unwrap_or(&path).display()
            ));
        }
    }
    Ok(problems)
}

/// Whether the text names this version, as `1.88`, `1.88.0` or `1.88+`, but not `11.88` or `1.880`.
fn mentions_version(text: &str, major: u64, minor: u64) -> bool {
    let version = format!("{major}.{minor}");
    text.match_indices(&version).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        let joins = |c: char| c.is_ascii_digit() || c == '.';
        !before.is_some_and(joins) && !after.is_some_and(|c| c.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
