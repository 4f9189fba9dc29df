//! Writes a command's result into a document, between two comments. The text around them is
//! written by hand and stays.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

/// Writes `text` into `file` as the result of `cargo xtask COMMAND`. It replaces the command's
/// previous result, or is appended.
pub fn write(file: &Path, command: &str, text: &str) -> Result<()> {
    let before = if file.exists() {
        fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?
    } else {
        String::new()
    };
    fs::write(file, replaced(&before, command, text))
        .with_context(|| format!("writing {}", file.display()))
}

fn replaced(document: &str, command: &str, text: &str) -> String {
    let begin = format!("<!-- cargo xtask {command}: begin, written by the command -->\n");
    let end = format!("<!-- cargo xtask {command}: end -->\n");
    let text = format!("{begin}\n{}\n\n{end}", text.trim());
    let found = document.find(&begin).and_then(|from| {
        let to = from + document[from..].find(&end)? + end.len();
        Some((&document[..from], &document[to..]))
    });
    match found {
        Some((head, tail)) => format!("{head}{text}{tail}"),
        None if document.is_empty() => text,
        None => format!("{}\n\n{text}", document.trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_replaces_the_previous_one_of_its_command() {
        let one = replaced("# Title\n", "a", "first");
        let two = replaced(&one, "b", "other");
        let three = replaced(&two, "a", "second") + "tail\n";
        assert!(three.starts_with("# Title\n\n<!--") && !three.contains("first"));
        assert!(three.contains("\nsecond\n") && three.contains("\nother\n"));
        assert_eq!(replaced(&three, "a", "second"), three);
    }
}
