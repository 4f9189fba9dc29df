//! Which pages' scripts may read a part.

use std::sync::Arc;

/// Which origin the headers of a part admit (`Access-Control-Allow-Origin`).
///
/// WebKit reads it from each part and not from the response (measured in WebKitGTK), so a relay
/// that restricts origins renders its parts accordingly.
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
    /// Every origin: the header is `*`.
    pub const ANY: Self = Self(Value::Any);

    /// No other origin: there is no such header.
    pub const NOBODY: Self = Self(Value::Nobody);

    /// This origin alone. `None` unless the text is 1 to 512 visible ASCII characters.
    pub fn only(origin: &str) -> Option<Self> {
        let is_plain = origin.bytes().all(|b| b.is_ascii_graphic());
        let is_short = (1..=LONGEST_ORIGIN_BYTES).contains(&origin.len());
        (is_plain && is_short).then(|| Self(Value::Only(origin.into())))
    }

    /// The header's value; `None` where there is no such header.
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

/// A scheme, the longest host name (253) and a port fit in half of it.
const LONGEST_ORIGIN_BYTES: usize = 512;
