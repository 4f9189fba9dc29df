//! The body of a response: a stream, or something short.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;

use crate::response::mjpeg_body::MjpegBody;

/// The body of a response of [`StreamService`](crate::StreamService): a stream, or something short.
#[derive(Debug)]
pub struct ResponseBody(Kind);

#[derive(Debug)]
enum Kind {
    Stream(MjpegBody),
    Whole(Full<Bytes>),
}

impl ResponseBody {
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self(Kind::Whole(Full::new(bytes.into())))
    }
}

impl From<MjpegBody> for ResponseBody {
    fn from(body: MjpegBody) -> Self {
        Self(Kind::Stream(body))
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
            Kind::Stream(body) => Pin::new(body).poll_frame(cx),
            Kind::Whole(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Stream(body) => body.is_end_stream(),
            Kind::Whole(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Stream(body) => body.size_hint(),
            Kind::Whole(body) => body.size_hint(),
        }
    }
}
