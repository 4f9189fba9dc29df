//! The body of a response: a stream, a picture, or something short.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;

use crate::{
    response::mjpeg_body::MjpegBody,
    viewers::{answer::AnswerState, answer_permit::AnswerPermit},
};

/// The body of a response of [`StreamService`](crate::StreamService): a stream, or something short.
#[derive(Debug)]
pub struct ResponseBody(BodyKind);

#[derive(Debug)]
enum BodyKind {
    Stream(MjpegBody),
    Whole(Full<Bytes>),
    Admitted(AdmittedBody),
    #[cfg(feature = "replay")]
    Clip(crate::replay::clip::ClipBody),
}

/// A body of known length that counts as an answer on its way until its last byte is handed over.
#[derive(Debug)]
struct AdmittedBody {
    rest: Bytes,
    permit: Arc<AnswerPermit>,
}

impl ResponseBody {
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self(BodyKind::Whole(Full::new(bytes.into())))
    }

    pub(crate) fn admitted(bytes: impl Into<Bytes>, permit: AnswerPermit) -> Self {
        Self(BodyKind::Admitted(AdmittedBody {
            rest: bytes.into(),
            permit: Arc::new(permit),
        }))
    }

    /// What bounds the sending of an answer that was admitted; `None` for others.
    pub(crate) fn answer(&self) -> Option<&Arc<AnswerState>> {
        match &self.0 {
            BodyKind::Admitted(body) => Some(body.permit.state()),
            #[cfg(feature = "replay")]
            BodyKind::Clip(body) => Some(body.state()),
            BodyKind::Stream(_) | BodyKind::Whole(_) => None,
        }
    }
}

impl AdmittedBody {
    /// The next piece. It holds the permit: hyper drops it when its last byte is in the kernel.
    fn next(&mut self) -> Option<Bytes> {
        // A body that ends early makes the server break the connection off.
        if self.rest.is_empty() || self.permit.state().is_cut() {
            return None;
        }
        let bytes = self.rest.split_to(self.rest.len().min(PIECE_BYTES));
        Some(Bytes::from_owner(Piece {
            bytes,
            _permit: Arc::clone(&self.permit),
        }))
    }
}

struct Piece {
    bytes: Bytes,
    _permit: Arc<AnswerPermit>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(feature = "replay")]
impl From<crate::replay::clip::ClipBody> for ResponseBody {
    fn from(body: crate::replay::clip::ClipBody) -> Self {
        Self(BodyKind::Clip(body))
    }
}

impl From<MjpegBody> for ResponseBody {
    fn from(body: MjpegBody) -> Self {
        Self(BodyKind::Stream(body))
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut self.0 {
            BodyKind::Stream(body) => Pin::new(body).poll_frame(cx),
            BodyKind::Whole(body) => Pin::new(body).poll_frame(cx),
            BodyKind::Admitted(body) => {
                Poll::Ready(body.next().map(|piece| Ok(Frame::data(piece))))
            }
            #[cfg(feature = "replay")]
            BodyKind::Clip(body) => {
                let piece = body.poll_next(cx);
                piece.map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            BodyKind::Stream(body) => body.is_end_stream(),
            BodyKind::Whole(body) => body.is_end_stream(),
            BodyKind::Admitted(body) => body.rest.is_empty(),
            #[cfg(feature = "replay")]
            BodyKind::Clip(body) => body.length() == Some(0),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            BodyKind::Stream(body) => body.size_hint(),
            BodyKind::Whole(body) => body.size_hint(),
            BodyKind::Admitted(body) => SizeHint::with_exact(body.rest.len() as u64),
            #[cfg(feature = "replay")]
            BodyKind::Clip(body) => {
                let length = body.length();
                length.map_or_else(SizeHint::default, SizeHint::with_exact)
            }
        }
    }
}

/// A picture goes out in pieces, so that a transport that copies them, such as TLS, holds one copy
/// of a piece and not of the picture.
const PIECE_BYTES: usize = 64 << 10;
