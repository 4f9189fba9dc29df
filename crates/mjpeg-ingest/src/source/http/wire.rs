//! One connection that speaks HTTP/1, as cameras speak it.

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
    address::Origin,
    chunks::{Chunks, FramingStep},
    extent::Extent,
    head::{self, ResponseHead, Start},
    response::{malformed, shown},
};
use crate::error::HttpError;

/// The byte stream below an HTTP connection.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection without a task of its own: who waits for it reads it.
///
/// Dropping it closes the socket, and a reader that pauses makes TCP slow the camera down.
pub(super) struct Wire {
    io: Box<dyn Duplex>,
    /// What was read and not yet used: from `used` on.
    ahead: Vec<u8>,
    used: usize,
    body: UnreadBody,
    /// Another request can follow the body.
    keeps: bool,
    pub(super) origin: Origin,
    /// The address of the other side, for people.
    pub(super) peer: String,
}

/// How much of a body is left.
#[derive(Clone, Copy, PartialEq)]
enum UnreadBody {
    Length(u64),
    Chunked(Chunks),
    ToEnd,
}

impl Wire {
    pub(super) fn over(io: Box<dyn Duplex>, origin: Origin, peer: String) -> Self {
        Self {
            io,
            ahead: Vec::new(),
            used: 0,
            body: ENDED,
            keeps: true,
            origin,
            peer,
        }
    }

    /// Whether another request can be sent: the last body has been read, and the camera has neither
    /// closed the connection nor sent more than was announced, but for line breaks.
    pub(super) async fn is_free(&mut self) -> bool {
        if !self.keeps || !self.is_ended() {
            return false;
        }
        let is_open = match poll_fn(|cx| Poll::Ready(self.poll_fill(cx))).await {
            Poll::Pending => true,
            Poll::Ready(read) => read.is_ok_and(|bytes| bytes > 0),
        };
        let rest = &self.ahead[self.used..];
        is_open && rest.iter().all(|byte| b"\r\n".contains(byte))
    }

    /// Sends a request and waits for the head of its response.
    pub(super) async fn send(&mut self, request: &[u8]) -> Result<ResponseHead, HttpError> {
        let sent = async {
            self.io.write_all(request).await?;
            self.io.flush().await
        };
        sent.await.map_err(broken)?;
        for _ in 0..=MAX_INFORMATIONAL {
            let head = self.head().await?;
            if head.status >= 200 {
                self.keeps = head.keeps;
                self.body = match head.extent {
                    Extent::Length(length) => UnreadBody::Length(length),
                    Extent::Chunked => UnreadBody::Chunked(Chunks::new()),
                    Extent::ToEnd => UnreadBody::ToEnd,
                };
                return Ok(head);
            }
            if head.status == 101 {
                return Err(malformed("it wants to speak another protocol"));
            }
            // A camera may have sent many of them, which are all in the buffer.
            coop::consume_budget().await;
        }
        let limit = MAX_INFORMATIONAL;
        Err(HttpError::TooManyInformational { limit })
    }

    async fn head(&mut self) -> Result<ResponseHead, HttpError> {
        let mut searched = 0;
        loop {
            let bytes = &self.ahead[self.used..];
            match head::start(bytes) {
                Start::Body => return Ok(ResponseHead::missing()),
                Start::Neither => {
                    let begin = shown(&bytes[..bytes.len().min(20)]);
                    return Err(malformed(format!("it begins with {begin:?}")));
                }
                Start::Head => {
                    if let Some(end) = head::end(bytes, searched) {
                        let head = ResponseHead::parse(&bytes[..end]);
                        self.used += end;
                        return head.ok_or_else(|| malformed("its first line holds no status"));
                    }
                }
                Start::Undecided => {}
            }
            if bytes.len() >= MAX_HEAD_BYTES {
                let limit = MAX_HEAD_BYTES;
                return Err(HttpError::HeadTooLarge { limit });
            }
            searched = bytes.len();
            if poll_fn(|cx| self.poll_fill(cx)).await.map_err(broken)? == 0 {
                return Err(HttpError::CutShort);
            }
        }
    }

    /// Reads the next bytes of the body; none at its end.
    ///
    /// The connection's end is an error if more was announced.
    pub(super) fn poll_body(
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
    pub(super) fn is_ended(&self) -> bool {
        matches!(
            self.body,
            UnreadBody::Length(0) | UnreadBody::Chunked(Chunks::Ended)
        )
    }

    /// Reads the rest of the body and ignores it. Returns false if it is longer than `most` bytes,
    /// or broken.
    pub(super) async fn skip(&mut self, most: u64) -> bool {
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
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
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

fn broken(error: io::Error) -> HttpError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => HttpError::CutShort,
        _ => HttpError::Broken(error),
    }
}

/// A body that has been read, or none.
const ENDED: UnreadBody = UnreadBody::Length(0);

/// How much is read ahead at once, in bytes. More would only be copied once more.
const FILL_BYTES: usize = 4 << 10;

/// The largest head of a response, in bytes (`max_head_bytes`). Real ones have 100 to 1000.
pub(in crate::source) const MAX_HEAD_BYTES: usize = 64 << 10;

/// How many informational heads, such as `100 Continue`, may precede a response
/// (`max_informational_heads`). None is needed: nothing was asked that calls for them.
pub(super) const MAX_INFORMATIONAL: usize = 8;
