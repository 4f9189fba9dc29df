//! Reading HTTP/1 from a socket, without an HTTP library.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The head of a response.
#[derive(Debug, Clone)]
pub struct Head {
    /// The first line as received, without its line end.
    pub status_line: String,
    /// The status code in it.
    pub status: u16,
    /// The headers in their order: names as received, values without surrounding blanks.
    pub headers: Vec<(String, String)>,
}

impl Head {
    /// The value of the first header of this name, compared without case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    fn parse(block: &[u8]) -> io::Result<Self> {
        let line_end = find(block, b"\r\n").unwrap_or(block.len());
        let status_line = String::from_utf8_lossy(&block[..line_end]).into_owned();
        let status = status_line
            .strip_prefix("HTTP/1.")
            .and_then(|rest| rest.split(' ').nth(1)?.parse().ok())
            .ok_or_else(|| invalid(format!("not an HTTP/1 status line: {status_line:?}")))?;
        let headers = parse_headers(block.get(line_end + 2..).unwrap_or_default())?;
        Ok(Self {
            status_line,
            status,
            headers,
        })
    }
}

/// A reader and the bytes it has read ahead.
#[derive(Debug)]
pub(crate) struct HttpReader<R> {
    pub(crate) io: R,
    pub(crate) buffer: BytesMut,
}

impl<R: AsyncRead + Unpin> HttpReader<R> {
    pub(crate) fn new(io: R) -> Self {
        Self {
            io,
            buffer: BytesMut::new(),
        }
    }

    /// Reads once. Returns how many bytes were read, 0 at the end.
    pub(crate) async fn fill(&mut self) -> io::Result<usize> {
        self.buffer.reserve(READ_BYTES);
        let read = self.io.read_buf(&mut self.buffer);
        limited("no byte came", read).await
    }

    /// Reads the head of a response, up to and including the empty line.
    pub(crate) async fn head(&mut self) -> io::Result<Head> {
        loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                let block = self.buffer.split_to(end + 4);
                return Head::parse(&block[..end]);
            }
            if self.buffer.len() > MAX_HEAD_BYTES {
                return Err(invalid(format!(
                    "no empty line in the first {MAX_HEAD_BYTES} bytes of a response"
                )));
            }
            if self.fill().await? == 0 {
                return Err(cut_off(format!(
                    "the response ended inside its head, after {}",
                    quoted(&self.buffer)
                )));
            }
        }
    }
}

pub(crate) async fn connect(addr: SocketAddr) -> io::Result<TcpStream> {
    let stream = limited("the connect did not get through", TcpStream::connect(addr)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Awaits `io` up to the time limit of a broken test.
pub(crate) async fn limited<T>(
    complaint: &str,
    io: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    timeout(QUIET_LIMIT, io).await.unwrap_or_else(|_| {
        Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("{complaint} for {QUIET_LIMIT:?}"),
        ))
    })
}

/// Splits a block of header lines, without the empty line at its end.
pub(crate) fn parse_headers(block: &[u8]) -> io::Result<Vec<(String, String)>> {
    let text = String::from_utf8_lossy(block);
    text.split("\r\n")
        .filter(|line| !line.is_empty())
        .map(|line| {
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| invalid(format!("a header line without a colon: {line:?}")))?;
            Ok((name.to_owned(), value.trim().to_owned()))
        })
        .collect()
}

pub(crate) fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

/// Reads Content-Length, if there is one.
pub(crate) fn content_length(headers: &[(String, String)]) -> io::Result<Option<usize>> {
    header(headers, "Content-Length")
        .map(|value| {
            value
                .parse()
                .map_err(|_| invalid(format!("a Content-Length that is no length: {value:?}")))
        })
        .transpose()
}

pub(crate) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

pub(crate) fn invalid(text: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text.into())
}

pub(crate) fn cut_off(text: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, text.into())
}

/// The start of `bytes`, escaped for error texts.
pub(crate) fn quoted(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(60)];
    format!("\"{}\"", shown.escape_ascii())
}

const QUIET_LIMIT: Duration = Duration::from_secs(10);
const READ_BYTES: usize = 64 * 1024;
const MAX_HEAD_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use tokio::time::{Instant, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn silence_ends_in_an_error() {
        let (mut server, client) = tokio::io::duplex(64);
        let start = Instant::now();
        let reading = async { HttpReader::new(client).head().await };
        let writing = async {
            server.write_all(b"HTTP/1.0 ").await.expect("it is open");
            sleep(Duration::from_secs(9)).await;
            server.write_all(b"200").await.expect("it is open");
        };
        let (head, ()) = tokio::join!(reading, writing);
        let error = head.expect_err("nothing more comes");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(error.to_string(), "no byte came for 10s");
        assert_eq!(start.elapsed().as_secs(), 19);
    }

    #[tokio::test]
    async fn a_head_has_a_limit() {
        let endless = tokio::io::repeat(b'x');
        let error = HttpReader::new(endless).head().await.expect_err("no end");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
