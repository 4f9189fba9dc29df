//! One connection to a camera that speaks HTTP/1, as cameras speak it.

use std::{
    future::poll_fn,
    task::{Context, Poll},
};

use tokio::{io::ReadBuf, task::coop};

use super::{
    address::Origin,
    head::{self, ResponseHead, Start},
    line::{Duplex, HttpLine, broken},
    oddities::oddities,
    response::{malformed, shown},
};
use crate::{error::HttpError, observed::quirk::CameraQuirk};

/// A connection to a camera.
pub(super) struct Wire {
    line: HttpLine,
    pub(super) origin: Origin,
    /// The address of the other side, for people.
    pub(super) peer: String,
}

impl Wire {
    pub(super) fn over(io: Box<dyn Duplex>, origin: Origin, peer: String) -> Self {
        Self {
            line: HttpLine::new(io),
            origin,
            peer,
        }
    }

    /// Whether another request can be sent: the last body has been read, and the camera has neither
    /// closed the connection nor sent more than was announced, but for line breaks.
    pub(super) async fn is_free(&mut self) -> bool {
        let line = &mut self.line;
        if !line.keeps() || !line.is_ended() {
            return false;
        }
        let is_open = match poll_fn(|cx| Poll::Ready(line.poll_fill(cx))).await {
            Poll::Pending => true,
            Poll::Ready(read) => read.is_ok_and(|bytes| bytes > 0),
        };
        is_open && line.ahead().iter().all(|byte| b"\r\n".contains(byte))
    }

    /// Sends a request and waits for the head of its response.
    pub(super) async fn send(&mut self, request: &[u8]) -> Result<ResponseHead, HttpError> {
        self.line.write(request).await.map_err(broken)?;
        for before in 0..=MAX_INFORMATIONAL {
            let mut head = self.head().await?;
            if head.status >= 200 {
                if before > 0 {
                    head.quirks.push(CameraQuirk::Informational);
                }
                self.line.begin(head.extent, head.keeps);
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
            let bytes = self.line.ahead();
            match head::start(bytes) {
                Start::Body => return Ok(ResponseHead::missing()),
                Start::Neither => {
                    let begin = shown(&bytes[..bytes.len().min(20)]);
                    return Err(malformed(format!("it begins with {begin:?}")));
                }
                Start::Head => {
                    if let Some(end) = head::end(bytes, searched) {
                        let head = ResponseHead::parse(&bytes[..end]).map(|mut head| {
                            head.quirks = oddities(&bytes[..end], &head);
                            head
                        });
                        self.line.consume(end);
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
            if poll_fn(|cx| self.line.poll_fill(cx))
                .await
                .map_err(broken)?
                == 0
            {
                return Err(HttpError::CutShort);
            }
        }
    }

    /// As that of the [line](HttpLine::poll_body).
    pub(super) fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<Result<(), HttpError>> {
        self.line.poll_body(cx, buf)
    }

    /// As that of the [line](HttpLine::skip).
    pub(super) async fn skip(&mut self, most: u64) -> bool {
        self.line.skip(most).await
    }
}

/// The largest head of a response, in bytes (`max_head_bytes`). Real ones have 100 to 1000.
pub(in crate::source) const MAX_HEAD_BYTES: usize = 64 << 10;

/// How many informational heads, such as `100 Continue`, may precede a response
/// (`max_informational_heads`). None is needed: nothing was asked that calls for them.
pub(super) const MAX_INFORMATIONAL: usize = 8;
