//! One connection that speaks RTSP. Who waits for it reads it: it has no task of its own.

use std::{
    future::poll_fn,
    io,
    pin::{Pin, pin},
    task::{Context, Poll, Waker, ready},
};

use bytes::{Buf, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWrite},
    task::coop,
};

use super::{
    inbox::{Data, Inbox, Received},
    message::RtspResponse,
};
use crate::{
    error::{http::HttpError, rtsp::RtspError},
    source::http::line::Duplex,
};

/// A connection, what was read from it and not taken, and what is to be sent.
///
/// Dropping it closes the socket, and a reader that pauses makes TCP slow the camera down.
pub(super) struct RtspWire {
    stream: Box<dyn Duplex>,
    pub(super) inbox: Inbox,
    out: BytesMut,
    /// An encrypted connection may hold something back that it was given.
    is_flushed: bool,
}

/// What followed a request.
pub(super) enum Followed {
    Response(RtspResponse),
    /// A packet came first.
    Data(Data),
}

impl RtspWire {
    pub(super) fn over(stream: Box<dyn Duplex>) -> Self {
        Self {
            stream,
            inbox: Inbox::default(),
            out: BytesMut::new(),
            is_flushed: true,
        }
    }

    /// Sends a request, and waits for the response of this number. Passes over all else, but for
    /// packets if they are `wanted`.
    pub(super) async fn exchange(
        &mut self,
        request: &[u8],
        number: u32,
        wanted: bool,
    ) -> Result<Followed, RtspError> {
        self.out.extend_from_slice(request);
        loop {
            poll_fn(|cx| self.poll_flush(cx))
                .await
                .map_err(HttpError::Broken)?;
            // A camera may have sent many of them, which are all in the buffer.
            coop::consume_budget().await;
            match self.inbox.next()? {
                // A camera that does not number its responses means the only request there is.
                Some(Received::Response(response))
                    if response.head.number().is_none_or(|known| known == number) =>
                {
                    return Ok(Followed::Response(response));
                }
                Some(Received::Data(data)) if wanted => return Ok(Followed::Data(data)),
                Some(Received::Request(number)) => self.refuse(number),
                Some(_) => {}
                None => {
                    let read = poll_fn(|cx| self.poll_fill(cx)).await;
                    if read.map_err(HttpError::Broken)? == 0 {
                        return Err(HttpError::CutShort.into());
                    }
                }
            }
        }
    }

    /// Answers a request of the camera: nothing that it may ask for exists.
    pub(super) fn refuse(&mut self, number: Option<u32>) {
        if let Some(number) = number {
            self.send(format!("RTSP/1.0 501 Not Implemented\r\nCSeq: {number}\r\n\r\n").as_bytes());
        }
    }

    /// Has something sent, unless the camera does not take what it was sent before.
    pub(super) fn send(&mut self, message: &[u8]) {
        if self.out.len() + message.len() <= MAX_UNSENT_BYTES {
            self.out.extend_from_slice(message);
        }
    }

    /// Sends something now, as far as that is possible without waiting.
    pub(super) fn try_send(&mut self, message: &[u8]) {
        // What was begun before would be torn apart.
        if self.out.is_empty() && self.is_flushed {
            self.out.extend_from_slice(message);
            // The connection ends now, and nobody waits for it.
            let mut cx = Context::from_waker(Waker::noop());
            let sending = coop::unconstrained(poll_fn(|cx| self.poll_flush(cx)));
            let _ = pin!(sending).poll(&mut cx);
        }
    }

    /// Sends what is to be sent.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.out.is_empty() {
            let sent = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.out))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.out.advance(sent);
            self.is_flushed = false;
        }
        if !self.is_flushed {
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            self.is_flushed = true;
        }
        Poll::Ready(Ok(()))
    }

    /// Reads once; 0 at the end.
    pub(super) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let room = self.inbox.spare_mut();
        // The future holds nothing from one poll to the next.
        match ready!(pin!(self.stream.read_buf(room)).poll(cx)) {
            // Many cameras end an encrypted connection without saying so.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(0)),
            read => Poll::Ready(read),
        }
    }
}

/// How much may wait until the camera takes it: some requests.
const MAX_UNSENT_BYTES: usize = 8 << 10;
