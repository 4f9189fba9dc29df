//! The headers of a part.

use std::time::{Duration, SystemTime};

/// What a part's headers say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartHeaders {
    timestamp: Option<SystemTime>,
    content_type: Option<String>,
    content_length: Option<u64>,
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
        if name.eq_ignore_ascii_case(b"content-type") {
            self.content_type = Some(value.into());
        } else if name.eq_ignore_ascii_case(b"content-length") {
            self.content_length = value.parse().ok();
        } else if name.eq_ignore_ascii_case(b"x-timestamp") {
            self.timestamp =
                seconds(value).and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since));
        }
    }
}

/// Splits a line into the name and value of a header: a token (RFC 9110 section 5.6.2), a colon, printable characters.
pub(super) fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|&b| b == b':')?;
    let (name, value) = (
        line[..colon].trim_ascii_end(),
        line[colon + 1..].trim_ascii(),
    );
    let token = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b);
    let printable = |&b: &u8| b >= b' ' || b == b'\t';
    (!name.is_empty() && name.iter().all(token) && value.iter().all(printable))
        .then_some((name, value))
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
