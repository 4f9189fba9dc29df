//! Words that are not known, and the nearest ones that are.

use crate::error::{Error, Violation};

/// Says that a word is not known, and which one may be meant.
pub(crate) fn nearest(unknown: &str, what: &str, known: &[&str]) -> Error {
    let error = match is_word(unknown) {
        true => {
            let message = format!("the {what} {unknown} is not known");
            Error::invalid(&message).with_violation(Violation::new(&message).with_key(unknown))
        }
        false => Error::invalid(format!("a {what} is not known")),
    };
    let edits = |word: &&str| strsim::damerau_levenshtein(unknown, word);
    let near = known.iter().copied().filter(|_| is_word(unknown));
    let near = near.min_by_key(edits);
    match near.filter(|word| edits(word) <= word.len().div_ceil(3)) {
        Some(word) => error.with_hint(format!("is {word} meant?")),
        None if known.is_empty() => error,
        None => error.with_hint(format!("known here: {}", known.join(", "))),
    }
}

/// Whether a text may be repeated: it is no secret that has got into the wrong place.
pub(crate) fn is_word(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (1..=MOST_BYTES).contains(&text.len()) && text.chars().all(is_plain)
}

const MOST_BYTES: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_that_is_meant_is_named() {
        let hint = |word: &str| {
            let error = nearest(word, "parameter", &["persist", "dry_run"]);
            error.hint().map(str::to_owned)
        };
        assert_eq!(hint("presist").as_deref(), Some("is persist meant?"));
        assert_eq!(hint("dryrun").as_deref(), Some("is dry_run meant?"));
        assert_eq!(hint("x").as_deref(), Some("known here: persist, dry_run"));
        assert_eq!(nearest("a", "field", &[]).hint(), None);
    }

    #[test]
    fn only_words_are_repeated() {
        for text in ["tcp://a:secret@b", "\u{1b}secret", &"secret".repeat(10), ""] {
            let error = nearest(text, "field", &["name"]);
            let all = format!("{error:?}");
            assert!(!all.contains("secret"), "{all}");
        }
    }
}
