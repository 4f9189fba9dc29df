//! A viewer of a multipart stream.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::parts::{Layout, boundary};
use crate::wire::{Head, Wire, connect, cut_off, header, invalid, limited, quoted};

/// One part of a multipart response.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its headers in their order, names as they came, values without surrounding blanks.
    pub headers: Vec<(String, String)>,
    /// What is between its headers and the delimiter after it.
    pub body: Bytes,
}

impl Part {
    /// The value of the first header of this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

/// A client that has asked for a stream and reads it at its caller's pace, strict about the parts.
#[derive(Debug)]
pub struct Viewer {
    wire: Wire<TcpStream>,
    local: SocketAddr,
    head: Head,
    /// Parts returned so far, for the texts of errors; `None` before the first delimiter.
    parts: Option<usize>,
}

impl Viewer {
    /// Connects, sends `GET path HTTP/1.1` with a Host header, and reads the response's head, whatever its status.
    ///
    /// # Errors
    ///
    /// What the socket reports; `InvalidData` if the response is not HTTP/1; `UnexpectedEof` if it ends in its head;
    /// `TimedOut` if nothing comes for ten seconds.
    ///
    /// # Cancel safety
    ///
    /// Cancelled, the connection is closed.
    pub async fn open(addr: SocketAddr, path: &str) -> io::Result<Self> {
        Self::open_with(addr, path, &[]).await
    }

    /// Like [`open`](Self::open), with further headers. One named `Host` replaces the usual one.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    ///
    /// # Cancel safety
    ///
    /// Cancelled, the connection is closed.
    pub async fn open_with(
        addr: SocketAddr,
        path: &str,
        extra_headers: &[(&str, &str)],
    ) -> io::Result<Self> {
        Self::ask(connect(addr).await?, path, extra_headers).await
    }

    /// Like [`open`](Self::open), over a connection of the caller's: one that comes from an address of his choice, say, or that has
    /// been used for a request before.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    ///
    /// # Cancel safety
    ///
    /// Cancelled, the connection is closed.
    pub async fn ask(
        mut stream: TcpStream,
        path: &str,
        extra_headers: &[(&str, &str)],
    ) -> io::Result<Self> {
        let (local, addr) = (stream.local_addr()?, stream.peer_addr()?);
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
        let mut wire = Wire::new(stream);
        let head = wire.head().await?;
        Ok(Self {
            wire,
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

    /// Reads the next part, up to and including the delimiter after it; `None` if the response ended cleanly.
    ///
    /// The boundary B comes from Content-Type, and the wire must read `--B`, then part after part: headers, an empty
    /// line, as many bytes as Content-Length says, and a line end with the next `--B`. A part without Content-Length goes
    /// to the next delimiter. All lines end in CR LF. The clean end is right after a delimiter, or where headers without
    /// Content-Length were sent ahead, right after those.
    ///
    /// # Errors
    ///
    /// `InvalidData` with what came instead if the wire differs, or if the response is not such a stream;
    /// `UnexpectedEof` if it ended inside a part; `TimedOut` if nothing comes for ten seconds; else what the socket
    /// reports.
    ///
    /// # Cancel safety
    ///
    /// Safe: what was read stays for the next call.
    pub async fn next_part(&mut self) -> io::Result<Option<Part>> {
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
            let buffer = &self.wire.buffer;
            let layout = Layout::of(buffer, delimiter.as_bytes(), &mut searched)
                .map_err(|error| invalid(format!("part {index}: {error}")))?;
            match layout {
                Layout::Complete { headers, body } => {
                    let whole = self.wire.buffer.split_to(body.end + delimiter.len());
                    self.parts = Some(index + 1);
                    return Ok(Some(Part {
                        headers,
                        body: whole.freeze().slice(body),
                    }));
                }
                Layout::Partial { may_end } => {
                    if self.wire.fill().await? > 0 {
                        continue;
                    }
                    if may_end {
                        return Ok(None);
                    }
                    return Err(cut_off(format!(
                        "the response ended inside part {index}, {} bytes after its delimiter",
                        self.wire.buffer.len()
                    )));
                }
            }
        }
    }

    /// Reads the next part and returns its body only.
    ///
    /// # Errors
    ///
    /// As [`next_part`](Self::next_part).
    ///
    /// # Cancel safety
    ///
    /// Safe: what was read stays for the next call.
    pub async fn next_frame(&mut self) -> io::Result<Option<Bytes>> {
        Ok(self.next_part().await?.map(|part| part.body))
    }

    /// Takes 1 to `n` raw bytes of the response's body, or none at its end. It leaves parts half read: do not go on with
    /// [`next_part`](Self::next_part) after it.
    ///
    /// # Errors
    ///
    /// `TimedOut` if nothing comes for ten seconds; else what the socket reports.
    ///
    /// # Cancel safety
    ///
    /// Safe: what was read stays for the next call.
    pub async fn read_raw(&mut self, n: usize) -> io::Result<Bytes> {
        if self.wire.buffer.is_empty() {
            self.wire.fill().await?;
        }
        let taken = n.min(self.wire.buffer.len());
        Ok(self.wire.buffer.split_to(taken).freeze())
    }

    /// The address it connected from, by which the server knows it.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Gives the socket away, for tests that stop reading. What was read ahead is lost.
    #[must_use]
    pub fn into_stream(self) -> TcpStream {
        self.wire.io
    }

    async fn first_delimiter(&mut self, delimiter: &[u8]) -> io::Result<()> {
        while self.wire.buffer.len() < delimiter.len() {
            if self.wire.fill().await? == 0 {
                return Err(cut_off(format!(
                    "the response ended before its first delimiter, after {}",
                    quoted(&self.wire.buffer)
                )));
            }
        }
        if !self.wire.buffer.starts_with(delimiter) {
            return Err(invalid(format!(
                "the body starts with {} and not with {}",
                quoted(&self.wire.buffer),
                quoted(delimiter)
            )));
        }
        let _ = self.wire.buffer.split_to(delimiter.len());
        Ok(())
    }
}
