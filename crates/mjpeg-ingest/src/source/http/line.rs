//! One connection that speaks HTTP/1: what was read ahead of it, and the body that is being read.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf},
    task::coop,
};

use super::{
    chunks::{Chunks, FramingStep},
    extent::Extent,
    response::malformed,
};
use crate::error::HttpError;

/// The byte stream below an HTTP connection.
pub(in crate::source) trait Duplex:
    AsyncRead + AsyncWrite + Send + Unpin
{
}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection without a task of its own: who waits for it reads it.
///
/// Dropping it closes the socket, and a reader that pauses makes TCP slow the other side down.
pub(in crate::source) struct HttpLine {
    io: Box<dyn Duplex>,
    /// What was read and not yet used: from `used` on.
    ahead: Vec<u8>,
    used: usize,
    body: UnreadBody,
    /// Another message can follow the body.
    keeps: bool,
}

/// How much of a body is left.
#[derive(Clone, Copy, PartialEq)]
enum UnreadBody {
    Length(u64),
    Chunked(Chunks),
    ToEnd,
}

impl HttpLine {
    pub(in crate::source) fn new(io: Box<dyn Duplex>) -> Self {
        Self {
            io,
            ahead: Vec::new(),
            used: 0,
            body: ENDED,
            keeps: true,
        }
    }

    /// A connection that is closed.
    #[cfg(feature = "http-listen")]
    pub(in crate::source) fn closed() -> Self {
        Self::new(Box::new(tokio::io::join(
            tokio::io::empty(),
            tokio::io::sink(),
        )))
    }

    /// What was read and not yet used.
    pub(in crate::source) fn ahead(&self) -> &[u8] {
        &self.ahead[self.used..]
    }

    /// Uses so many of the bytes that were read ahead.
    pub(in crate::source) fn consume(&mut self, bytes: usize) {
        self.used += bytes;
    }

    /// Whether another message can follow the body.
    pub(in crate::source) fn keeps(&self) -> bool {
        self.keeps
    }

    /// Begins to read a body.
    pub(in crate::source) fn begin(&mut self, extent: Extent, keeps: bool) {
        self.keeps = keeps;
        self.body = match extent {
            Extent::Length(length) => UnreadBody::Length(length),
            Extent::Chunked => UnreadBody::Chunked(Chunks::new()),
            Extent::ToEnd => UnreadBody::ToEnd,
        };
    }

    /// Ends what is sent, so that the other side knows.
    #[cfg(feature = "http-listen")]
    pub(in crate::source) async fn shut_down(&mut self) -> io::Result<()> {
        self.io.shutdown().await
    }

    /// Writes bytes, and waits until the system has them.
    pub(in crate::source) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.io.write_all(bytes).await?;
        self.io.flush().await
    }

    /// Reads the next bytes of the body; none at its end.
    ///
    /// The connection's end is an error if more was announced.
    pub(in crate::source) fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<Result<(), HttpError>> {
        loop {
            let most = match &mut self.body {
                UnreadBody::Length(0) | UnreadBody::Chunked(Chunks::Ended) => {
                    return Poll::Ready(Ok(()));
                }
                UnreadBody::Length(left) => *left,
                UnreadBody::Chunked(Chunks::Content(left)) => *left,
                UnreadBody::ToEnd | UnreadBody::Chunked(Chunks::Raw) => u64::MAX,
                UnreadBody::Chunked(chunks) => {
                    match chunks.step(&self.ahead[self.used..]) {
                        FramingStep::Skip(bytes) => self.used += bytes,
                        FramingStep::Broken(why) => return Poll::Ready(Err(malformed(why))),
                        FramingStep::More => {
                            if ready!(self.poll_fill(cx)).map_err(broken)? == 0 {
                                return Poll::Ready(Err(HttpError::CutShort));
                            }
                        }
                    }
                    continue;
                }
            };
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            let read = match ready!(self.poll_content(cx, buf, most)) {
                // Many servers end an encrypted connection without saying so.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
                read => read.map_err(broken)?,
            };
            let is_to_end = matches!(
                self.body,
                UnreadBody::ToEnd | UnreadBody::Chunked(Chunks::Raw)
            );
            if read == 0 {
                self.keeps = false;
                let announced_more = !is_to_end && buf.remaining() > 0;
                return Poll::Ready(if announced_more {
                    Err(HttpError::CutShort)
                } else {
                    Ok(())
                });
            }
            match &mut self.body {
                UnreadBody::Length(left) => *left -= read as u64,
                UnreadBody::Chunked(chunks) => chunks.took(read),
                UnreadBody::ToEnd => {}
            }
            return Poll::Ready(Ok(()));
        }
    }

    /// Whether the whole body has been read.
    pub(in crate::source) fn is_ended(&self) -> bool {
        matches!(
            self.body,
            UnreadBody::Length(0) | UnreadBody::Chunked(Chunks::Ended)
        )
    }

    /// Reads the rest of the body and ignores it. Returns false if it is longer than `most` bytes,
    /// or broken.
    pub(in crate::source) async fn skip(&mut self, most: u64) -> bool {
        match self.body {
            UnreadBody::Length(left) if left > most => return false,
            UnreadBody::ToEnd => return false,
            _ => {}
        }
        let mut left = most;
        let mut space = [0; 1024];
        while !self.is_ended() {
            let mut buf = ReadBuf::new(&mut space);
            let read = poll_fn(|cx| self.poll_body(cx, &mut buf)).await;
            let bytes = buf.filled().len() as u64;
            if read.is_err() || bytes > left || (bytes == 0 && !self.is_ended()) {
                return false;
            }
            left -= bytes;
            coop::consume_budget().await;
        }
        true
    }

    /// Reads content: what was read ahead, or straight from the socket.
    fn poll_content(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
        most: usize,
    ) -> Poll<io::Result<usize>> {
        let most = most.min(buf.remaining());
        let ahead = &self.ahead[self.used..];
        if !ahead.is_empty() {
            let n = ahead.len().min(most);
            buf.put_slice(&ahead[..n]);
            self.used += n;
            return Poll::Ready(Ok(n));
        }
        let mut part = ReadBuf::new(buf.initialize_unfilled_to(most));
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut part))?;
        let n = part.filled().len();
        buf.advance(n);
        Poll::Ready(Ok(n))
    }

    /// Reads ahead; 0 at the end of the connection.
    pub(in crate::source) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.ahead.drain(..self.used);
        self.used = 0;
        let begin = self.ahead.len();
        self.ahead.resize(begin + FILL_BYTES, 0);
        let mut buf = ReadBuf::new(&mut self.ahead[begin..]);
        let read = Pin::new(&mut self.io).poll_read(cx, &mut buf);
        let n = buf.filled().len();
        self.ahead.truncate(begin + n);
        read.map_ok(|()| n)
    }
}

/// Names an error of a connection.
pub(in crate::source) fn broken(error: io::Error) -> HttpError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => HttpError::CutShort,
        _ => HttpError::Broken(error),
    }
}

/// A body that has been read, or none.
const ENDED: UnreadBody = UnreadBody::Length(0);

/// How much is read ahead at once, in bytes. More would only be copied once more.
const FILL_BYTES: usize = 4 << 10;
