//! What is being written to a client: one message at a time.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use mjpeg_manager::mjpeg_http::WatchedFrame;
use tokio::{io::AsyncWrite, time::Instant};

use super::{
    header::{HEADER_BYTES, PictureHeader},
    message::ServerMessage,
    picture::TilePicture,
};

/// A message that is being written: a head of its own, and bytes that all viewers share, which are
/// not copied.
pub(crate) struct OutgoingMessage {
    head: [u8; MAX_HEAD_BYTES],
    head_length: usize,
    body: Bytes,
    written: usize,
    /// When it must have been written.
    pub(crate) deadline: Instant,
    /// If it is a picture.
    pub(crate) picture: Option<OutgoingPicture>,
}

/// A picture that is being written.
pub(crate) struct OutgoingPicture {
    pub(crate) tile: u16,
    /// In flight until then.
    _frame: WatchedFrame<TilePicture>,
}

impl OutgoingMessage {
    pub(crate) fn text(message: &ServerMessage, deadline: Instant) -> Self {
        Self::new(OpCode::Text, &[], message.to_json().into(), deadline)
    }

    pub(crate) fn ping(deadline: Instant) -> Self {
        Self::new(OpCode::Ping, &[], Bytes::new(), deadline)
    }

    /// A tile's picture, to be written from now on.
    pub(crate) fn picture(tile: u16, frame: WatchedFrame<TilePicture>, now: Instant) -> Self {
        let picture = frame.form();
        let header = PictureHeader {
            kind: picture.kind,
            is_repeat: frame.is_repeat(),
            is_placeholder: frame.is_placeholder(),
            tile,
            age: frame.age(now),
            seq: frame.seq(),
            captured: frame.captured(),
        };
        let body = picture.bytes.clone();
        let deadline = now + frame.max_send_time();
        let mut outgoing = Self::new(OpCode::Binary, &header.to_bytes(), body, deadline);
        outgoing.picture = Some(OutgoingPicture {
            tile,
            _frame: frame,
        });
        outgoing
    }

    /// Makes a message of one frame (RFC 6455, 5.2), which a server does not mask.
    fn new(opcode: OpCode, header: &[u8], body: Bytes, deadline: Instant) -> Self {
        let mut head = [0; MAX_HEAD_BYTES];
        head[0] = FINAL | opcode as u8;
        let length = header.len() + body.len();
        let end = match (u8::try_from(length), u16::try_from(length)) {
            (Ok(length @ ..=125), _) => {
                head[1] = length;
                2
            }
            (_, Ok(length)) => {
                head[1] = 126;
                head[2..4].copy_from_slice(&length.to_be_bytes());
                4
            }
            _ => {
                head[1] = 127;
                head[2..10].copy_from_slice(&(length as u64).to_be_bytes());
                10
            }
        };
        let head_length = end + header.len();
        head[end..head_length].copy_from_slice(header);
        Self {
            head,
            head_length,
            body,
            written: 0,
            deadline,
            picture: None,
        }
    }

    /// Whether some of it has been written.
    pub(crate) fn has_begun(&self) -> bool {
        self.written > 0
    }

    /// Writes until all is written and flushed.
    pub(crate) fn poll_write(
        &mut self,
        io: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let mut io = Pin::new(io);
        loop {
            let head = &self.head[..self.head_length];
            let head = head.get(self.written..).unwrap_or_default();
            let from = self.written.saturating_sub(self.head_length);
            let body = self.body.get(from..).unwrap_or_default();
            if head.is_empty() && body.is_empty() {
                return io.poll_flush(cx);
            }
            let slices = [IoSlice::new(head), IoSlice::new(body)];
            let slices = match head.is_empty() {
                true => &slices[1..],
                false => &slices,
            };
            match ready!(io.as_mut().poll_write_vectored(cx, slices))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                bytes => self.written += bytes,
            }
        }
    }
}

/// What a frame is (RFC 6455, 11.8).
#[derive(Clone, Copy)]
#[repr(u8)]
enum OpCode {
    Text = 1,
    Binary = 2,
    Ping = 9,
}

/// The frame is the message's last.
const FINAL: u8 = 0x80;
/// The longest head of a frame, and the header of a picture.
const MAX_HEAD_BYTES: usize = 10 + HEADER_BYTES;

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn lengths_are_written_as_the_standard_says() {
        for (length, head) in [
            (0, &[0x82, 0][..]),
            (125, &[0x82, 125]),
            (126, &[0x82, 126, 0, 126]),
            (65_535, &[0x82, 126, 255, 255]),
            (65_536, &[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let body = Bytes::from(vec![7; length]);
            let mut outgoing =
                OutgoingMessage::new(OpCode::Binary, &[], body.clone(), Instant::now());
            let mut written = Vec::new();
            let mut cx = Context::from_waker(Waker::noop());
            let done = outgoing.poll_write(&mut written, &mut cx);
            assert!(matches!(done, Poll::Ready(Ok(()))), "{length}");
            assert_eq!(&written[..head.len()], head, "{length}");
            assert!(written[head.len()..] == body, "{length}");
        }
    }
}
