//! One request, one response.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use tokio::io::AsyncWriteExt as _;

use crate::http::{Head, HttpReader, connect, content_length, cut_off, invalid, limited};

/// A response that was read to its end.
#[derive(Debug, Clone)]
pub struct Response {
    /// Status and headers.
    pub head: Head,
    /// The body: as long as its Content-Length says, or without one up to the end of the
    /// connection. Empty where HTTP allows no body.
    pub body: Bytes,
}

/// Connects, writes `raw` as it is and reads the response. Adds nothing to `raw`, not even its last
/// empty line.
///
/// The server may answer, and stop reading, before all of `raw` is written. Reads no body after a
/// request that starts with `HEAD`, nor with status 204 or 304.
///
/// # Errors
///
/// Errors of the socket; `InvalidData` if the response is not HTTP/1 or is chunked; `UnexpectedEof`
/// if it ends early; `TimedOut` if nothing is received for ten seconds.
///
/// # Cancel safety
///
/// If the future is dropped, the connection is closed.
pub async fn request(addr: SocketAddr, raw: impl AsRef<[u8]>) -> io::Result<Response> {
    let raw = raw.as_ref();
    let (read, mut write) = connect(addr).await?.into_split();
    let mut reader = HttpReader::new(read);
    let writing = limited("the server did not take the request", write.write_all(raw));
    let reading = read_response(&mut reader, raw.starts_with(b"HEAD"));
    tokio::pin!(writing, reading);
    let mut written = Ok(());
    let mut is_writing = true;
    loop {
        tokio::select! {
            result = &mut writing, if is_writing => {
                is_writing = false;
                written = result;
            }
            response = &mut reading => {
                // Of two errors report the first: the response failed because of it.
                return match (response, written) {
                    (Err(_), Err(error)) => Err(error),
                    (response, _) => response,
                };
            }
        }
    }
}

async fn read_response(
    reader: &mut HttpReader<tokio::net::tcp::OwnedReadHalf>,
    is_head: bool,
) -> io::Result<Response> {
    let head = reader.head().await?;
    if is_head || matches!(head.status, 204 | 304) {
        return Ok(Response {
            head,
            body: Bytes::new(),
        });
    }
    if let Some(coding) = head.header("Transfer-Encoding") {
        return Err(invalid(format!(
            "a body with Transfer-Encoding {coding:?}, which this client does not read"
        )));
    }
    let length = content_length(&head.headers)?;
    while length.is_none_or(|length| reader.buffer.len() < length) {
        if reader.fill().await? == 0 {
            break;
        }
    }
    let length = length.unwrap_or(reader.buffer.len());
    if reader.buffer.len() < length {
        return Err(cut_off(format!(
            "the body ended after {} of {length} bytes",
            reader.buffer.len()
        )));
    }
    let body = reader.buffer.split_to(length).freeze();
    Ok(Response { head, body })
}
