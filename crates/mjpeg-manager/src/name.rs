//! Names of streams.

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

/// The name of a stream: 1 to 64 ASCII letters, digits, `_` or `-`. It needs no quoting in a URL,
/// a file name or a metric.
///
/// ```
/// use mjpeg_manager::StreamName;
///
/// assert!("front_door-2".parse::<StreamName>().is_ok());
/// assert!("front door".parse::<StreamName>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamName(Arc<str>);

impl StreamName {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StreamName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if (1..=MAX_LEN).contains(&text.len()) && text.bytes().all(plain) {
            Ok(Self(text.into()))
        } else {
            // The text may be a URL in the wrong place, with its password.
            let is_harmless = text.len() <= MAX_SHOWN && !text.contains([':', '/', '@']);
            Err(InvalidName(if is_harmless { text } else { "…" }.into()))
        }
    }
}

/// Allows to look up names by text.
impl Borrow<str> for StreamName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for StreamName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A text that cannot name a stream. The caller is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the name {0:?} is not 1 to 64 letters, digits, '_' or '-'")]
#[non_exhaustive]
pub struct InvalidName(String);

const MAX_LEN: usize = 64;

/// How many bytes of an invalid name the error repeats; a longer one is left out.
const MAX_SHOWN: usize = 128;
