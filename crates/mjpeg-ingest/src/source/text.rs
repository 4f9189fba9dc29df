//! The text of a source.

use std::sync::Arc;

/// A text, and the options for limits that follow it.
#[derive(Clone)]
pub(super) struct Text {
    pub(super) whole: Arc<str>,
    /// The length without the options for limits.
    plain: usize,
}

impl Text {
    pub(super) fn new(text: String) -> Self {
        Self {
            plain: text.len(),
            whole: text.into(),
        }
    }

    /// Puts these options in the place of those that follow it. They begin with `begin`, or
    /// continue those that a URL has already.
    pub(super) fn with_options(&self, begin: &str, options: &[String]) -> Self {
        let plain = &self.whole[..self.plain];
        let mut whole = plain.to_owned();
        for (nth, option) in options.iter().enumerate() {
            let continues = nth > 0 || begin == URL_OPTIONS && plain.contains('#');
            whole += if continues { "&" } else { begin };
            whole += option;
        }
        Self {
            plain: self.plain,
            whole: whole.into(),
        }
    }
}

/// What options of a URL begin with.
pub(super) const URL_OPTIONS: &str = "#";

/// What options behind a command line begin with: a last word that begins with `#`. To pass such a
/// word to the program, quote it.
#[cfg(all(feature = "exec", unix))]
pub(super) const COMMAND_OPTIONS: &str = " #";
