//! The headers of a part.

use std::time::{Duration, SystemTime};

use memchr::memchr;

use super::allow_origin::AllowOrigin;

/// The headers of a part.
///
/// A name may occur several times; the last value counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartHeaders {
    /// The time set by [`with_timestamp`](Self::with_timestamp).
    timestamp: Option<SystemTime>,
    /// The headers received, as lines of `name:value`. One allocation for all of them.
    lines: String,
    allow_origin: AllowOrigin,
}

impl PartHeaders {
    /// Sets `X-Timestamp`, the time when the frame was captured.
    ///
    /// [`render`](crate::multipart::render) writes it in seconds since the Unix epoch with six
    /// decimals, as mjpg-streamer and ustreamer do. It writes a time before the epoch as 0.
    pub fn with_timestamp(mut self, captured: SystemTime) -> Self {
        self.timestamp = Some(captured);
        self
    }

    /// Returns the time in `X-Timestamp`. Some cameras count from their own start instead of the
    /// Unix epoch.
    pub fn timestamp(&self) -> Option<SystemTime> {
        let time = |value| SystemTime::UNIX_EPOCH.checked_add(seconds(value)?);
        self.timestamp
            .or_else(|| self.values(X_TIMESTAMP).filter_map(time).last())
    }

    /// Sets the origin that the part allows. [`render`](crate::multipart::render) writes it in
    /// [`Layout::Advance`](crate::multipart::Layout::Advance). The default is any.
    pub fn with_allow_origin(mut self, origin: AllowOrigin) -> Self {
        self.allow_origin = origin;
        self
    }

    /// Returns the origin that a part to render allows.
    pub fn allow_origin(&self) -> &AllowOrigin {
        &self.allow_origin
    }

    /// Returns the value of `Content-Type` as received. [`render`](crate::multipart::render) always
    /// writes `image/jpeg`.
    pub fn content_type(&self) -> Option<&str> {
        self.get(CONTENT_TYPE)
    }

    /// Returns the value of `Content-Length` as received. The image may be shorter or longer.
    /// [`render`](crate::multipart::render) always writes the image's length.
    pub fn content_length(&self) -> Option<u64> {
        let lengths = self.values(CONTENT_LENGTH);
        lengths.filter_map(|value| value.parse().ok()).last()
    }

    /// Returns the value of a header as received, without the spaces around it. The name's case
    /// does not matter.
    ///
    /// Headers that are not UTF-8 are not kept. [`render`](crate::multipart::render) does not write
    /// the headers of a received part.
    ///
    /// ```
    /// use mjpeg_codec::{Found, multipart::Parser};
    ///
    /// # let image: &[u8] = &[
    /// #     0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0,
    /// #     0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x2A, 0xFF, 0xD9,
    /// # ];
    /// let mut parser = Parser::default();
    /// parser.push(&b"--frame\r\nX-Framerate: 25\r\n\r\n"[..]);
    /// parser.push(image.to_vec());
    /// while let Some(found) = parser.poll() {
    ///     if let Found::Frame(_) = found {
    ///         assert_eq!(parser.headers().get("x-framerate"), Some("25"));
    ///     }
    /// }
    /// ```
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values(name).last()
    }

    /// Returns the headers received, as names and values in the order of the stream.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let lines = self.lines.lines();
        lines.filter_map(|line| line.split_once(':'))
    }

    /// Adds a header that was received, for a picture whose headers are those of an HTTP response.
    /// A name or value that is no header is left out.
    pub fn with_received(mut self, name: &[u8], value: &[u8]) -> Self {
        if let Some((name, value)) = split(&[name, b":", value].concat()) {
            self.take(name, value);
        }
        self
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self
            .iter()
            .filter(move |(n, _)| n.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value)
    }

    /// Removes the headers received. Keeps their memory for those of the next part.
    pub(super) fn clear(&mut self) {
        self.lines.clear();
    }

    /// Adds a header, if it is UTF-8. `name` and `value` come from [`split`].
    pub(super) fn take(&mut self, name: &[u8], value: &[u8]) {
        let (Ok(name), Ok(value)) = (str::from_utf8(name), str::from_utf8(value)) else {
            return;
        };
        // Neither holds a line break, nor the name a colon.
        self.lines.reserve(name.len() + value.len() + 2);
        self.lines.push_str(name);
        self.lines.push(':');
        self.lines.push_str(value);
        self.lines.push('\n');
    }
}

/// Returns whether a line begins with one of the headers by which a part is recognised.
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

/// Splits a line into a header's name and value: a token (RFC 9110 section 5.6.2), a colon, text.
pub(super) fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr(b':', line)?;
    let (name, mut value) = (line[..colon].trim_ascii_end(), &line[colon + 1..]);
    // A line may consist of spaces. Trimming them byte by byte would take longer than all the rest.
    while let Some(rest) = value.strip_suffix(&[b' '; 16]) {
        value = rest;
    }
    let value = value.trim_ascii();
    (!name.is_empty() && name.iter().all(may_be_in_token) && all_text(value))
        .then_some((name, value))
}

/// Returns whether [`is_text`] holds for all bytes, without a branch for each.
pub(super) fn all_text(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |all, b| all & is_text(b))
}

fn may_be_in_token(&b: &u8) -> bool {
    TOKEN[usize::from(b)]
}

/// Indexed by byte: a table, because a stream may consist of nothing but headers.
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

/// Returns whether a byte may stand in a header's value: any but control characters.
fn is_text(&b: &u8) -> bool {
    (b >= b' ') | (b == b'\t')
}

/// Parses seconds with a decimal fraction, exact to the nanosecond.
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
