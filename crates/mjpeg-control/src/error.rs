//! Why a request was refused.

use mjpeg_manager::mjpeg_ingest::escaped;

use crate::code::ErrorCode;

/// Why a request was refused: a problem in the sense of RFC 9457.
///
/// Texts are for people, and must hold no secrets. Characters that steer a terminal are escaped.
///
/// ```
/// use mjpeg_control::{Error, ErrorCode};
///
/// let error = Error::new(ErrorCode::NotPersistent, "there is no folder for streams of the API")
///     .with_hint("add include = [\"streams.d/*.toml\"] to the configuration file");
/// assert_eq!(error.code().status(), 409);
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{detail}")]
pub struct Error {
    code: ErrorCode,
    detail: String,
    hint: Option<String>,
    violations: Vec<Violation>,
}

impl Error {
    /// Makes an error with a text that says in plain words what is wrong.
    pub fn new(code: ErrorCode, detail: impl AsRef<str>) -> Self {
        Self {
            code,
            detail: plain(detail.as_ref()),
            hint: None,
            violations: Vec::new(),
        }
    }

    /// Adds what to do about it.
    pub fn with_hint(mut self, hint: impl AsRef<str>) -> Self {
        self.hint = Some(plain(hint.as_ref()));
        self
    }

    /// Adds something that is wrong with what was to be set.
    pub fn with_violation(mut self, violation: Violation) -> Self {
        self.violations.push(violation);
        self
    }

    /// Returns the word for machines.
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// Returns what is wrong.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Returns what to do about it.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Returns all that is wrong with what was to be set.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    pub(crate) fn not_found() -> Self {
        Self::new(
            ErrorCode::NotFound,
            "there is no such stream or resource here",
        )
    }

    pub(crate) fn invalid(detail: impl AsRef<str>) -> Self {
        Self::new(ErrorCode::InvalidSpec, detail)
    }
}

impl From<mjpeg_manager::Error> for Error {
    fn from(error: mjpeg_manager::Error) -> Self {
        let code = ErrorCode::from_word(error.code()).unwrap_or(ErrorCode::Internal);
        Self::new(code, error.chain().to_string())
    }
}

/// One thing that is wrong with what was to be set, and where: as `check --json` prints it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The file, if it stands in one.
    pub file: Option<String>,
    /// Its line, from 1.
    pub line: Option<u64>,
    /// Its column, from 1.
    pub column: Option<u64>,
    /// The key, if it is about one.
    pub key: Option<String>,
    /// What is wrong with it.
    pub message: String,
}

impl Violation {
    /// Says what is wrong.
    pub fn new(message: impl AsRef<str>) -> Self {
        Self {
            message: plain(message.as_ref()),
            ..Self::default()
        }
    }

    /// Sets the key.
    pub fn with_key(mut self, key: impl AsRef<str>) -> Self {
        self.key = Some(plain(key.as_ref()));
        self
    }

    /// Sets the place.
    pub fn with_place(mut self, file: impl AsRef<str>, line: u64, column: u64) -> Self {
        self.file = Some(plain(file.as_ref()));
        (self.line, self.column) = (Some(line), Some(column));
        self
    }
}

/// A text of bounded length that steers no terminal.
fn plain(text: &str) -> String {
    let cut = text.char_indices().nth(MOST_CHARS);
    let end = cut.map_or(text.len(), |(at, _)| at);
    escaped(&text[..end]).into_owned()
}

/// Of each text. What a client sent may be repeated in it, such as the name of a key.
const MOST_CHARS: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_of_bounded_length_and_steer_no_terminal() {
        let text = "\u{1b}[2J\u{202e}".repeat(1000);
        let violation = Violation::new(&text)
            .with_key(&text)
            .with_place(&text, 1, 1);
        let error = Error::new(ErrorCode::Internal, &text).with_hint(&text);
        let error = error.with_violation(violation);
        let Violation {
            file, key, message, ..
        } = &error.violations()[0];
        let texts = [Some(error.detail()), error.hint(), Some(message)];
        let texts = texts.into_iter().chain([file.as_deref(), key.as_deref()]);
        for text in texts.map(|text| text.expect("a text")) {
            assert!(text.starts_with("\\u{1b}[2J\\u{202e}"), "{text}");
            assert!(text.len() < 20 * MOST_CHARS && !text.contains('\u{1b}'));
        }
    }
}
