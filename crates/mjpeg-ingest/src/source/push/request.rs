//! A request that sends pictures, from its head to its answer.

use std::{
    fmt, io,
    net::IpAddr,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes};
use tokio::{
    io::{AsyncRead, ReadBuf},
    sync::oneshot,
};

use super::{head::PushHead, outcome::PushOutcome};
use crate::{input::BoxedReader, source::http::line::HttpLine};

/// A request whose body has yet to be read. It is always answered: dropped, with what was set last.
pub(in crate::source) struct PushRequest {
    pub(super) head: PushHead,
    /// Where it comes from; `None` from this machine, by a socket without addresses.
    pub(super) sender: Option<IpAddr>,
    /// What was read of the body and is to be read again, the last piece first.
    ahead: Vec<Bytes>,
    open: Option<(PushBody, PushAnswer)>,
    if_dropped: PushOutcome,
}

/// Where a body comes from.
pub(in crate::source) enum PushBody {
    /// A connection of ours, which goes on after the answer.
    Line(HttpLine),
    Reader(BoxedReader),
}

/// Takes the answer, and the body back.
pub(in crate::source) type PushAnswer = oneshot::Sender<(PushBody, PushOutcome)>;

impl PushRequest {
    pub(in crate::source) fn new(
        head: PushHead,
        sender: Option<IpAddr>,
        body: PushBody,
        answer: PushAnswer,
    ) -> Self {
        Self {
            head,
            // An IPv4 address is the same however the socket writes it.
            sender: sender.map(|sender| sender.to_canonical()),
            ahead: Vec::new(),
            open: Some((body, answer)),
            if_dropped: PushOutcome::Ended,
        }
    }

    /// Who sends it, for people.
    pub(super) fn peer(&self) -> String {
        match self.sender {
            Some(sender) => sender.to_string(),
            None => "a program on this machine".into(),
        }
    }

    /// Puts bytes back that were read last.
    pub(super) fn unread(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.ahead.push(bytes);
        }
    }

    /// Sets the answer for the case that it is dropped.
    pub(super) fn set_if_dropped(&mut self, outcome: PushOutcome) {
        self.if_dropped = outcome;
    }

    /// Answers it. What is left of the body is not read.
    pub(super) fn answer(&mut self, outcome: PushOutcome) {
        if let Some((body, answer)) = self.open.take() {
            // Who has sent it may be gone.
            let _ = answer.send((body, outcome));
        }
    }
}

impl AsyncRead for PushRequest {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(piece) = self.ahead.last_mut() {
            let n = piece.len().min(buf.remaining());
            buf.put_slice(&piece[..n]);
            piece.advance(n);
            if piece.is_empty() {
                self.ahead.pop();
            }
            return Poll::Ready(Ok(()));
        }
        match &mut self.open {
            None => Poll::Ready(Ok(())),
            Some((PushBody::Line(line), _)) => line.poll_body(cx, buf).map_err(io::Error::other),
            Some((PushBody::Reader(reader), _)) => Pin::new(reader).poll_read(cx, buf),
        }
    }
}

impl Drop for PushRequest {
    fn drop(&mut self) {
        self.answer(self.if_dropped);
    }
}

impl fmt::Debug for PushRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushRequest")
            .field("sender", &self.sender)
            .finish_non_exhaustive()
    }
}
