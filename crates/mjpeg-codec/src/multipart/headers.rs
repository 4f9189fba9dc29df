//! The headers of a part.

use std::time::{Duration, SystemTime};

use memchr::memchr;

use super::allow_origin::AllowOrigin;

/// What a part's headers say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartHeaders {
    timestamp: Option<SystemTime>,
    content_type: Option<String>,
    content_length: Option<u64>,
    allow_origin: AllowOrigin,
}

impl PartHeaders {
    /// Adds `X-Timestamp`: when the frame was captured, in seconds since the Unix epoch with six decimals, as
    /// mjpg-streamer and ustreamer write it. A time before the epoch is written as 0.
    pub fn with_timestamp(mut self, captured: SystemTime) -> Self {
        self.timestamp = Some(captured);
        self
    }

    /// The time that `X-Timestamp` gives. Some cameras count from their own start and not from the Unix epoch.
    pub fn timestamp(&self) -> Option<SystemTime> {
        self.timestamp
    }

    /// Sets which origin the part admits where its layout says so
    /// ([`Layout::Advance`](super::Layout::Advance)). Default: any.
    pub fn with_allow_origin(mut self, origin: AllowOrigin) -> Self {
        self.allow_origin = origin;
        self
    }

    /// Which origin the part admits.
    pub fn allow_origin(&self) -> &AllowOrigin {
        &self.allow_origin
    }

    /// The value of `Content-Type`, as received. [`render`](super::render) always writes `image/jpeg`.
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// The value of `Content-Length`, as received; the image may be shorter or longer. [`render`](super::render)
    /// always writes the image's length.
    pub fn content_length(&self) -> Option<u64> {
        self.content_length
    }

    /// Takes a header in; one that says nothing of interest, or nonsense, changes nothing.
    pub(super) fn take(&mut self, name: &[u8], value: &[u8]) {
        let Ok(value) = str::from_utf8(value) else {
            return;
        };
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        if is(CONTENT_TYPE) {
            self.content_type = Some(value.into());
        } else if is(CONTENT_LENGTH) {
            self.content_length = value.parse().ok().or(self.content_length);
        } else if is(X_TIMESTAMP) {
            let told = seconds(value).and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since));
            self.timestamp = told.or(self.timestamp);
        }
    }
}

/// Whether a line begins as one of the headers do that tell something of a part.
pub(super) fn is_known(line: &[u8]) -> bool {
    let has_name = |known: &str| {
        line.split_at_checked(known.len())
            .is_some_and(|(name, rest)| {
                name.eq_ignore_ascii_case(known.as_bytes())
                    && rest.trim_ascii_start().starts_with(b":")
            })
    };
    [CONTENT_TYPE, CONTENT_LENGTH, X_TIMESTAMP]
        .into_iter()
        .any(has_name)
}

/// Splits a line into the name and value of a header: a token (RFC 9110 section 5.6.2), a colon, text.
pub(super) fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr(b':', line)?;
    let (name, mut value) = (line[..colon].trim_ascii_end(), &line[colon + 1..]);
    // A line may be nothing but spaces, and byte by byte they would take longer than all the rest.
    while let Some(rest) = value.strip_suffix(&[b' '; 16]) {
        value = rest;
    }
    let value = value.trim_ascii();
    (!name.is_empty() && name.iter().all(may_be_in_token) && all_text(value))
        .then_some((name, value))
}

/// Whether [`is_text`] holds for all, without a branch for each.
pub(super) fn all_text(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |all, b| all & is_text(b))
}

fn may_be_in_token(&b: &u8) -> bool {
    TOKEN[usize::from(b)]
}

/// By byte, because a stream may be nothing but headers.
const TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric()
            || matches!(
                byte as u8,
                b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
            );
        byte += 1;
    }
    table
};

/// Whether a byte may stand in a header's value: all but control characters.
fn is_text(&b: &u8) -> bool {
    (b >= b' ') | (b == b'\t')
}

/// Reads seconds with a decimal fraction, exactly to the nanosecond.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let nanos = fraction
        .bytes()
        .chain(std::iter::repeat(b'0'))
        .take(9)
        .fold(0, |nanos, digit| nanos * 10 + u32::from(digit - b'0'));
    Some(Duration::new(whole.parse().ok()?, nanos))
}

const CONTENT_TYPE: &str = "Content-Type";
const CONTENT_LENGTH: &str = "Content-Length";
const X_TIMESTAMP: &str = "X-Timestamp";
