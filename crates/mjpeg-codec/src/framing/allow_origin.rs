//! The origin that may read a part.

use std::sync::Arc;

/// The origin that the headers of a part allow (`Access-Control-Allow-Origin`).
///
/// WebKit takes it from each part instead of the response (measured in WebKitGTK). A relay that
/// restricts origins must therefore render its parts accordingly.
///
/// ```
/// use mjpeg_codec::multipart::AllowOrigin;
///
/// assert_eq!(AllowOrigin::default(), AllowOrigin::ANY);
/// let page = AllowOrigin::only("https://page.example").unwrap();
/// assert_eq!(page.as_str(), Some("https://page.example"));
/// assert!(AllowOrigin::only("two\r\nlines").is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AllowOrigin(Value);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Value {
    Any,
    Nobody,
    Only(Arc<str>),
}

impl AllowOrigin {
    /// Allows every origin: the header is `*`.
    pub const ANY: Self = Self(Value::Any);

    /// Allows no other origin: the header is absent.
    pub const NOBODY: Self = Self(Value::Nobody);

    /// Allows this origin alone. Returns `None` unless the text is 1 to 512 visible ASCII
    /// characters.
    pub fn only(origin: &str) -> Option<Self> {
        let is_plain = origin.bytes().all(|b| b.is_ascii_graphic());
        let is_short = (1..=LONGEST_ORIGIN_BYTES).contains(&origin.len());
        (is_plain && is_short).then(|| Self(Value::Only(origin.into())))
    }

    /// Returns the header's value, or `None` if the header is absent.
    pub fn as_str(&self) -> Option<&str> {
        match &self.0 {
            Value::Any => Some("*"),
            Value::Nobody => None,
            Value::Only(origin) => Some(origin),
        }
    }
}

impl Default for AllowOrigin {
    fn default() -> Self {
        Self::ANY
    }
}

/// A scheme, the longest host name (253) and a port take half of it.
const LONGEST_ORIGIN_BYTES: usize = 512;
