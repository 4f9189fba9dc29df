//! The head of an answer.

use bytes::{Buf, Bytes, BytesMut};
use mjpeg_codec::multipart::PartHeaders;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::error::LinkFailure;

/// The head of an answer.
pub(super) struct LinkHead {
    pub(super) status: u16,
    pub(super) headers: PartHeaders,
}

impl LinkHead {
    /// Reads a head; what follows it stays in `buf`.
    pub(super) async fn read(
        io: &mut (impl AsyncRead + Unpin),
        buf: &mut BytesMut,
    ) -> Result<Self, LinkFailure> {
        let bytes = block(io, buf, MAX_HEAD_BYTES).await?;
        let bytes = bytes.ok_or(LinkFailure::Broken("no head, or a longer one than allowed"))?;
        Self::parse(&bytes).ok_or(LinkFailure::Broken("a head that is none of HTTP"))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (line, rest) = split_line(bytes);
        let line = str::from_utf8(line).ok()?;
        let rest_of_line = line.strip_prefix("HTTP/1.")?.get(1..)?;
        let status = rest_of_line.strip_prefix(' ')?;
        let status = status.split_once(' ').map_or(status, |(status, _)| status);
        let is_number = status.len() == 3 && status.bytes().all(|b| b.is_ascii_digit());
        Some(Self {
            status: status.parse().ok().filter(|_| is_number)?,
            headers: fields(rest)?,
        })
    }
}

/// Reads up to and with the blank line that ends a block of headers. `None` if the connection ends
/// before, or the block is longer than `most`.
pub(super) async fn block(
    io: &mut (impl AsyncRead + Unpin),
    buf: &mut BytesMut,
    most: usize,
) -> Result<Option<Bytes>, LinkFailure> {
    let mut searched = 0;
    loop {
        let found = buf[searched..].windows(4).position(|w| w == b"\r\n\r\n");
        if let Some(at) = found {
            let end = searched + at + 4;
            return Ok((end <= most).then(|| buf.split_to(end).freeze()));
        }
        if buf.len() >= most {
            return Ok(None);
        }
        searched = buf.len().saturating_sub(3);
        buf.reserve(READ_BYTES);
        let mut room = bytes::BufMut::limit(&mut *buf, READ_BYTES);
        if io.read_buf(&mut room).await.map_err(LinkFailure::Read)? == 0 {
            return Ok(None);
        }
    }
}

/// Reads headers; `None` if a line is none, or there are too many.
pub(super) fn fields(mut block: &[u8]) -> Option<PartHeaders> {
    let mut headers = PartHeaders::default();
    for _ in 0..=MAX_FIELDS {
        let (line, rest) = split_line(block);
        block = rest;
        if line.is_empty() {
            return Some(headers);
        }
        let colon = line.iter().position(|&b| b == b':')?;
        headers = headers.with_received(&line[..colon], &line[colon + 1..]);
    }
    None
}

/// The first line, without its end, and the rest.
pub(super) fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.windows(2).position(|w| w == b"\r\n") {
        Some(at) => (&bytes[..at], &bytes[at + 2..]),
        None => (bytes, &[]),
    }
}

/// Passes over bytes of a buffer.
pub(super) fn skip(buf: &mut BytesMut, bytes: usize) {
    buf.advance(bytes);
}

/// The longest head of an answer.
const MAX_HEAD_BYTES: usize = 8 << 10;

/// The most headers of a head or of a part.
const MAX_FIELDS: usize = 64;

/// How much is read at once while a head is looked for: the beginning of an image behind it is
/// copied.
pub(super) const READ_BYTES: usize = 8 << 10;
