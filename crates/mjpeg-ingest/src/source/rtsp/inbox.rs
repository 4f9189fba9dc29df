//! Takes what a camera sends apart: messages, and packets among them (RFC 2326 section 10.12).

use bytes::{Buf, Bytes, BytesMut};

use super::message::{MessageHead, RtspResponse};
use crate::{
    error::{http::HttpError, rtsp::RtspError},
    source::http::{head, wire::MAX_HEAD_BYTES},
};

/// Something that a camera sends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// A packet on a channel.
    Data(Data),
    Response(RtspResponse),
    /// A request of the camera, by its number. Its body is passed over.
    Request(Option<u32>),
}

/// A packet on a channel.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Data {
    pub(super) channel: u8,
    pub(super) packet: Bytes,
}

/// What was read and not taken yet: one message or packet at most, and what came with its end.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    bytes: BytesMut,
    /// How much of it was searched for the end of a head.
    searched: usize,
    /// A head whose body is not complete, and how long that is.
    waiting: Option<(MessageHead, usize)>,
}

impl Inbox {
    /// Room to read into.
    pub(super) fn spare_mut(&mut self) -> &mut BytesMut {
        self.bytes.reserve(READ_BYTES);
        &mut self.bytes
    }

    /// Takes the next message or packet; `None` if it is not complete.
    pub(super) fn next(&mut self) -> Result<Option<Received>, RtspError> {
        if let Some((head, length)) = self.waiting.take() {
            if self.bytes.len() < length {
                self.waiting = Some((head, length));
                return Ok(None);
            }
            return Ok(Some(received(head, self.bytes.split_to(length).into())));
        }
        // Some cameras end a body with a line break that its length does not count.
        let blank = self
            .bytes
            .iter()
            .take_while(|b| b"\r\n".contains(b))
            .count();
        self.bytes.advance(blank);
        self.searched = self.searched.saturating_sub(blank);
        let Some(&first) = self.bytes.first() else {
            return Ok(None);
        };
        match first {
            b'$' => Ok(self.data()),
            b'A'..=b'Z' => self.message(),
            _ => Err(RtspError::Malformed("neither a message nor a packet")),
        }
    }

    fn data(&mut self) -> Option<Received> {
        let &[_, channel, high, low] = self.bytes.first_chunk()?;
        let end = 4 + usize::from(u16::from_be_bytes([high, low]));
        if self.bytes.len() < end {
            return None;
        }
        let mut packet = self.bytes.split_to(end).freeze();
        packet.advance(4);
        Some(Received::Data(Data { channel, packet }))
    }

    fn message(&mut self) -> Result<Option<Received>, RtspError> {
        let Some(end) = head::end(&self.bytes, self.searched) else {
            self.searched = self.bytes.len();
            if self.bytes.len() >= MAX_HEAD_BYTES {
                let limit = MAX_HEAD_BYTES;
                return Err(HttpError::HeadTooLarge { limit }.into());
            }
            return Ok(None);
        };
        if end > MAX_HEAD_BYTES {
            let limit = MAX_HEAD_BYTES;
            return Err(HttpError::HeadTooLarge { limit }.into());
        }
        let head = self.bytes.split_to(end);
        self.searched = 0;
        let head = MessageHead::parse(&head);
        let head = head.ok_or(RtspError::Malformed("a head without a status"))?;
        let length = head.body_bytes();
        let length = length.ok_or(RtspError::Malformed("a length that is no number"))?;
        if length > MAX_BODY_BYTES {
            let limit = MAX_BODY_BYTES;
            return Err(RtspError::BodyTooLarge { limit });
        }
        self.waiting = Some((head, length));
        self.next()
    }
}

fn received(head: MessageHead, body: Vec<u8>) -> Received {
    match head.status {
        Some(status) => Received::Response(RtspResponse { status, head, body }),
        None => Received::Request(head.number()),
    }
}

/// The most that is read at once.
const READ_BYTES: usize = 32 << 10;

/// How long the description of a session may be. Most have less than 1 kB.
const MAX_BODY_BYTES: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn inbox(bytes: &[u8]) -> Inbox {
        let mut inbox = Inbox::default();
        inbox.bytes.extend_from_slice(bytes);
        inbox
    }

    /// Takes all, however the bytes are cut.
    fn all(bytes: &[u8], piece: usize) -> Result<Vec<Received>, RtspError> {
        let mut inbox = Inbox::default();
        let mut received = Vec::new();
        for piece in bytes.chunks(piece) {
            inbox.bytes.extend_from_slice(piece);
            while let Some(next) = inbox.next()? {
                received.push(next);
            }
        }
        Ok(received)
    }

    #[test]
    fn messages_and_packets_are_told_apart_however_they_are_cut() {
        let stream = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 4\r\n\r\n$\0$\0\
            $\x01\0\x03abc\r\n$\0\0\0OPTIONS * RTSP/1.0\nCSeq: 7\n\nRTSP/1.0 404 No\r\n\r\n";
        let whole = all(stream, stream.len()).unwrap();
        let [
            Received::Response(first),
            Received::Data(data),
            Received::Data(empty),
            Received::Request(Some(7)),
            Received::Response(second),
        ] = &whole[..]
        else {
            panic!("{whole:?}");
        };
        assert_eq!((first.status, first.head.number()), (200, Some(1)));
        assert_eq!(first.body, b"$\0$\0");
        assert_eq!((data.channel, &data.packet[..]), (1, &b"abc"[..]));
        assert!(empty.packet.is_empty());
        assert_eq!(second.status, 404);
        for piece in [1, 2, 7] {
            assert_eq!(all(stream, piece).unwrap(), whole, "{piece}");
        }
    }

    #[test]
    fn head_and_body_have_limits() {
        let head = |length: usize| {
            let mut head = b"RTSP/1.0 200 OK\r\nX: ".to_vec();
            head.resize(length - 4, b'a');
            head.extend(b"\r\n\r\n");
            inbox(&head).next()
        };
        assert!(matches!(head(MAX_HEAD_BYTES), Ok(Some(_))));
        assert!(head(MAX_HEAD_BYTES + 1).is_err());
        let endless = inbox(&[b'A'; MAX_HEAD_BYTES]).next();
        assert!(endless.is_err());
        let body = |length: usize| {
            let head = format!("RTSP/1.0 200 OK\r\nContent-Length: {length}\r\n\r\n");
            inbox(head.as_bytes()).next()
        };
        assert!(matches!(body(MAX_BODY_BYTES), Ok(None)));
        assert!(matches!(
            body(MAX_BODY_BYTES + 1),
            Err(RtspError::BodyTooLarge { .. })
        ));
        assert!(body(usize::MAX).is_err());
    }

    #[test]
    fn what_is_neither_a_message_nor_a_packet_is_an_error() {
        for wrong in [
            &b"\0"[..],
            b"<html>",
            b"http",
            b"RTSP/1.0 200 OK\nContent-Length: -1\n\n",
        ] {
            assert!(inbox(wrong).next().is_err(), "{wrong:?}");
        }
    }
}
