//! A viewer of a multipart stream.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::http::{Head, HttpReader, connect, cut_off, header, invalid, limited, quoted};
use crate::parts::{PartExtent, boundary};

/// A part of a multipart response.
#[derive(Debug, Clone)]
pub struct ReceivedPart {
    /// The headers in their order: names as received, values without surrounding blanks.
    pub headers: Vec<(String, String)>,
    /// The bytes between the headers and the next delimiter.
    pub body: Bytes,
}

impl ReceivedPart {
    /// The value of the first header of this name, compared without case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

/// A client that has requested a stream, and reads it at its caller's pace. It is strict about the
/// parts.
#[derive(Debug)]
pub struct Viewer<S = TcpStream> {
    reader: HttpReader<S>,
    local: SocketAddr,
    head: Head,
    /// Parts returned so far, for error texts; `None` before the first delimiter.
    parts: Option<usize>,
}

impl Viewer {
    /// Connects, sends `GET path HTTP/1.1` with a Host header, and reads the head of the response,
    /// whatever its status.
    ///
    /// # Errors
    ///
    /// Errors of the socket; `InvalidData` if the response is not HTTP/1; `UnexpectedEof` if it
    /// ends in its head; `TimedOut` if nothing is received for ten seconds.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the connection is closed.
    pub async fn open(addr: SocketAddr, path: &str) -> io::Result<Self> {
        Self::open_with(addr, path, &[]).await
    }

    /// Like [`open`](Self::open), with further headers. One named `Host` replaces the default one.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the connection is closed.
    pub async fn open_with(
        addr: SocketAddr,
        path: &str,
        extra_headers: &[(&str, &str)],
    ) -> io::Result<Self> {
        Self::ask(connect(addr).await?, path, extra_headers).await
    }

    /// Like [`open`](Self::open), over a connection of the caller: for example one from a certain
    /// local address, or one that has carried a request before.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the connection is closed.
    pub async fn ask(
        stream: TcpStream,
        path: &str,
        extra_headers: &[(&str, &str)],
    ) -> io::Result<Self> {
        let (local, addr) = (stream.local_addr()?, stream.peer_addr()?);
        Self::ask_over(stream, local, addr, path, extra_headers).await
    }

    /// Returns the socket, for tests that stop reading. Bytes read ahead are lost.
    #[must_use]
    pub fn into_stream(self) -> TcpStream {
        self.reader.io
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Viewer<S> {
    /// Like [`ask`](Viewer::ask), over anything that carries bytes between these addresses, such as
    /// TLS.
    ///
    /// # Errors
    ///
    /// As [`open`](Viewer::open).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the connection is closed.
    pub async fn ask_over(
        mut stream: S,
        local: SocketAddr,
        addr: SocketAddr,
        path: &str,
        extra_headers: &[(&str, &str)],
    ) -> io::Result<Self> {
        let mut request = format!("GET {path} HTTP/1.1\r\n");
        let has_host = |(name, _): &(&str, &str)| name.eq_ignore_ascii_case("host");
        if !extra_headers.iter().any(has_host) {
            request.push_str(&format!("Host: {addr}\r\n"));
        }
        for (name, value) in extra_headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        let write = stream.write_all(request.as_bytes());
        limited("the server did not take the request", write).await?;
        let mut reader = HttpReader::new(stream);
        let head = reader.head().await?;
        Ok(Self {
            reader,
            local,
            head,
            parts: None,
        })
    }

    /// The head of the response.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Reads the next part, up to and including the delimiter after it. Returns `None` if the
    /// response ended cleanly.
    ///
    /// Content-Type declares the boundary B. The body must be `--B`, then parts: headers, an empty
    /// line, as many bytes as Content-Length says, and a line end with the next `--B`. A part
    /// without Content-Length ends at the next delimiter. All lines end in CR LF. The clean end is
    /// right after a delimiter, or right after headers without Content-Length that were sent ahead.
    ///
    /// # Errors
    ///
    /// `InvalidData`, quoting the bytes, if the body differs or the response is not such a stream;
    /// `UnexpectedEof` if it ended inside a part; `TimedOut` if nothing is received for ten
    /// seconds; errors of the socket.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: bytes already read stay for the next call.
    pub async fn next_part(&mut self) -> io::Result<Option<ReceivedPart>> {
        let delimiter = format!("\r\n--{}\r\n", boundary(&self.head)?);
        let index = match self.parts {
            Some(index) => index,
            None => {
                self.first_delimiter(&delimiter.as_bytes()[2..]).await?;
                *self.parts.insert(0)
            }
        };
        let mut searched = 0;
        loop {
            let buffer = &self.reader.buffer;
            let extent = PartExtent::of(buffer, delimiter.as_bytes(), &mut searched)
                .map_err(|error| invalid(format!("part {index}: {error}")))?;
            match extent {
                PartExtent::Complete { headers, body } => {
                    let whole = self.reader.buffer.split_to(body.end + delimiter.len());
                    self.parts = Some(index + 1);
                    return Ok(Some(ReceivedPart {
                        headers,
                        body: whole.freeze().slice(body),
                    }));
                }
                PartExtent::Partial { may_end } => {
                    if self.reader.fill().await? > 0 {
                        continue;
                    }
                    if may_end {
                        return Ok(None);
                    }
                    return Err(cut_off(format!(
                        "the response ended inside part {index}, {} bytes after its delimiter",
                        self.reader.buffer.len()
                    )));
                }
            }
        }
    }

    /// Reads the next part and returns its body.
    ///
    /// # Errors
    ///
    /// As [`next_part`](Self::next_part).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: bytes already read stay for the next call.
    pub async fn next_frame(&mut self) -> io::Result<Option<Bytes>> {
        Ok(self.next_part().await?.map(|part| part.body))
    }

    /// Takes 1 to `n` raw bytes of the response's body, or none at its end. This leaves parts half
    /// read: do not call [`next_part`](Self::next_part) afterwards.
    ///
    /// # Errors
    ///
    /// `TimedOut` if nothing is received for ten seconds; errors of the socket.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: bytes already read stay for the next call.
    pub async fn read_raw(&mut self, n: usize) -> io::Result<Bytes> {
        if self.reader.buffer.is_empty() {
            self.reader.fill().await?;
        }
        let taken = n.min(self.reader.buffer.len());
        Ok(self.reader.buffer.split_to(taken).freeze())
    }

    /// The local address of the connection, which is the server's peer address.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    async fn first_delimiter(&mut self, delimiter: &[u8]) -> io::Result<()> {
        while self.reader.buffer.len() < delimiter.len() {
            if self.reader.fill().await? == 0 {
                return Err(cut_off(format!(
                    "the response ended before its first delimiter, after {}",
                    quoted(&self.reader.buffer)
                )));
            }
        }
        if !self.reader.buffer.starts_with(delimiter) {
            return Err(invalid(format!(
                "the body starts with {} and not with {}",
                quoted(&self.reader.buffer),
                quoted(delimiter)
            )));
        }
        let _ = self.reader.buffer.split_to(delimiter.len());
        Ok(())
    }
}
