//! How frames lie in bytes.

/// How frames lie in the bytes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Framing {
    /// JPEG images one after another, with or without bytes in between.
    Concatenated,
    /// The body of a multipart response (RFC 2046 section 5.1), as
    /// [`multipart::Parser`](mjpeg_codec::multipart::Parser) reads it. The boundary need not be
    /// known.
    Multipart,
}
