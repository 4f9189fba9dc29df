//! The line that separates parts.

use bytes::Bytes;

use super::layout::{Layout, headers_ahead};
use crate::framing::allow_origin::AllowOrigin;

/// The text that separates the parts of a multipart body.
///
/// The default is `boundarydonotcross`, which mjpg-streamer and ustreamer use and which some
/// readers have built in.
///
/// ```
/// let boundary = mjpeg_codec::multipart::Boundary::default();
/// assert_eq!(boundary.content_type(), "multipart/x-mixed-replace;boundary=boundarydonotcross");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boundary(String);

impl Default for Boundary {
    fn default() -> Self {
        Self("boundarydonotcross".into())
    }
}

impl Boundary {
    /// Creates a boundary from 1 to 70 letters, digits, `-`, `_` or `.`, not beginning with `-`.
    ///
    /// RFC 2046 allows more characters. These need no quotes in the header, and some readers do not
    /// strip quotes (Fluidd).
    ///
    /// # Errors
    ///
    /// Returns [`InvalidBoundary`] if the text is empty, too long or holds another character.
    pub fn new(text: &str) -> Result<Self, InvalidBoundary> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        let sound =
            (1..=70).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with('-');
        if sound {
            Ok(Self(text.into()))
        } else {
            Err(InvalidBoundary)
        }
    }

    /// Returns the boundary without its dashes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the value for the response's `Content-Type` header.
    pub fn content_type(&self) -> String {
        format!("multipart/x-mixed-replace;boundary={}", self.0)
    }

    /// Returns the first bytes of the body, before the first part: a delimiter and, in
    /// [`Layout::Advance`], the headers ahead of the first image. They allow any origin.
    pub fn opening(&self, layout: Layout) -> Bytes {
        self.opening_for(layout, &AllowOrigin::ANY)
    }

    /// Returns the first bytes of a body whose parts allow this origin, like
    /// [`opening`](Self::opening).
    pub fn opening_for(&self, layout: Layout, allow_origin: &AllowOrigin) -> Bytes {
        let ahead = match layout {
            Layout::Trailing => String::new(),
            Layout::Advance => headers_ahead(allow_origin),
        };
        Bytes::from(format!("--{}\r\n{ahead}", self.0))
    }
}

/// A text that cannot serve as a [`Boundary`]. The caller is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a boundary takes 1 to 70 letters, digits, '-', '_' or '.', and does not begin with '-'")]
#[non_exhaustive]
pub struct InvalidBoundary;
