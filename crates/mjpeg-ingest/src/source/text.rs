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

    /// Puts these options in the place of those that follow it.
    pub(super) fn with_options(&self, options: &[String]) -> Self {
        let plain = &self.whole[..self.plain];
        let mut whole = plain.to_owned();
        for option in options {
            whole += if whole.contains('#') { "&" } else { "#" };
            whole += option;
        }
        Self {
            plain: self.plain,
            whole: whole.into(),
        }
    }
}
