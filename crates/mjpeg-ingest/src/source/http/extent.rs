//! Where the body of a response ends, and whether its bytes can be used.

/// Where a body ends (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source) enum Extent {
    Length(u64),
    Chunked,
    /// At the end of the connection.
    ToEnd,
}

/// The headers that say where the body ends.
#[derive(Default)]
pub(in crate::source) struct FramingHeaders {
    pub(in crate::source) is_chunked: bool,
    length: Length,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Length {
    #[default]
    Missing,
    Known(u64),
    /// No number, too large a one, or two that differ: it is not needed.
    Useless,
}

impl FramingHeaders {
    /// Reads a `Content-Length` header.
    pub(in crate::source) fn length(&mut self, value: &[u8]) {
        // A list of equal lengths is one length (RFC 9110 section 8.6).
        for text in value.split(|&b| b == b',') {
            let text = text.trim_ascii();
            let is_number = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
            let number = str::from_utf8(text).ok().filter(|_| is_number);
            let length = match number.and_then(|number| number.parse().ok()) {
                Some(length) => Length::Known(length),
                None => Length::Useless,
            };
            self.length = match self.length {
                Length::Missing => length,
                known if known == length => known,
                _ => Length::Useless,
            };
        }
    }

    /// Decides where the body of a request ends: `None` if it says nothing of a body (RFC 9112
    /// section 6.3).
    ///
    /// # Errors
    ///
    /// If its length is not a number, or is given twice and differs.
    #[cfg(feature = "http-listen")]
    pub(in crate::source) fn request_extent(&self) -> Result<Option<Extent>, ()> {
        match self.length {
            _ if self.is_chunked => Ok(Some(Extent::Chunked)),
            Length::Known(length) => Ok(Some(Extent::Length(length))),
            Length::Missing => Ok(None),
            Length::Useless => Err(()),
        }
    }

    /// Decides where the body ends.
    pub(in crate::source) fn extent(&self, status: u16, is_multipart: bool) -> Extent {
        if status < 200 || status == 204 || status == 304 {
            return Extent::Length(0);
        }
        match self.length {
            _ if self.is_chunked => Extent::Chunked,
            // A stream is never empty: some cameras announce a length of 0 and then stream.
            Length::Known(0) if is_multipart => Extent::ToEnd,
            Length::Known(length) => Extent::Length(length),
            Length::Missing | Length::Useless => Extent::ToEnd,
        }
    }
}

/// Whether a list of words holds this one.
pub(in crate::source) fn has_token(value: &[u8], token: &[u8]) -> bool {
    let mut tokens = value.split(|&b| b == b',');
    tokens.any(|found| found.trim_ascii().eq_ignore_ascii_case(token))
}

/// A registered coding that changes the bytes. Other words mean nothing: cameras write `none`,
/// `binary` and the like.
pub(in crate::source) fn coding(value: &[u8]) -> Option<Vec<u8>> {
    let codings = [
        &b"gzip"[..],
        b"x-gzip",
        b"deflate",
        b"compress",
        b"x-compress",
        b"br",
        b"zstd",
        b"dcb",
        b"dcz",
        b"aes128gcm",
        b"exi",
        b"pack200-gzip",
    ];
    let known = codings.iter().any(|coding| has_token(value, coding));
    known.then(|| value.into())
}
