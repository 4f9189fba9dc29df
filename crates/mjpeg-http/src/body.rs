//! The endless body of a stream response, and the short ones beside it.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use mjpeg_codec::multipart::Boundary;
use mjpeg_fanout::{Consumer, Published, Viewing};
use tokio::time::sleep;

use crate::{HttpConfig, service::Closing, stats::Counters};

/// The body of a stream response: the opening delimiter, then a part per frame, each time the newest, for as long as the fan-out has a
/// producer.
///
/// Each data frame is one whole part, in one buffer that all viewers share. The next part is chosen when the connection asks for it, so what a
/// slow viewer misses is missed whole. While the body lives it counts as a viewer in the fan-out's
/// [demand](mjpeg_fanout::Demand).
///
/// For servers of your own; [`StreamService`](crate::StreamService) adds the response's header.
pub struct MjpegBody {
    parts: Pin<Box<dyn Stream<Item = Bytes> + Send>>,
}

impl MjpegBody {
    /// Makes a body that takes its frames from a consumer of its own.
    pub fn new(consumer: Consumer, config: &HttpConfig) -> Self {
        // Without a service there is nobody to close it but the producer.
        Self::closable(consumer, config, Arc::default(), None)
    }

    pub(crate) fn closable(
        consumer: Consumer,
        config: &HttpConfig,
        counters: Arc<Counters>,
        closing: Option<Closing>,
    ) -> Self {
        let state = Parts {
            viewing: Counted::new(consumer.viewing(), counters),
            consumer,
            keepalive: config.keepalive,
            closing,
            at: At::Opening,
        };
        // One allocation per viewer; the futures of all later waits live inside it.
        Self {
            parts: Box::pin(stream::unfold(state, Parts::next).fuse()),
        }
    }
}

impl Body for MjpegBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let part = ready!(self.parts.as_mut().poll_next(cx));
        Poll::Ready(part.map(|part| Ok(Frame::data(part))))
    }
}

impl fmt::Debug for MjpegBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MjpegBody").finish_non_exhaustive()
    }
}

struct Parts {
    viewing: Counted,
    consumer: Consumer,
    keepalive: Duration,
    closing: Option<Closing>,
    at: At,
}

enum At {
    Opening,
    First,
    Later(Arc<Published>),
}

impl Parts {
    async fn next(mut self) -> Option<(Bytes, Self)> {
        let last = match &self.at {
            At::Opening => {
                self.at = At::First;
                return Some((Boundary::default().opening(), self));
            }
            At::First => None,
            At::Later(last) => Some(last),
        };
        let counters = &self.viewing.counters;
        let published = tokio::select! {
            biased;
            () = closed(&mut self.closing) => return None,
            published = self.consumer.next() => published?,
            repeat = after(self.keepalive, last) => {
                counters.keepalives.add_one();
                repeat
            }
        };
        counters.parts.add_one();
        let part = published.part().clone();
        self.at = At::Later(published);
        Some((part, self))
    }
}

/// Gives the last frame again after the keepalive interval. There is nothing to repeat before the first.
async fn after(keepalive: Duration, last: Option<&Arc<Published>>) -> Arc<Published> {
    let Some(last) = last else {
        return std::future::pending().await;
    };
    sleep(keepalive).await;
    Arc::clone(last)
}

async fn closed(closing: &mut Option<Closing>) {
    match closing {
        Some(closing) => closing.wanted().await,
        None => std::future::pending().await,
    }
}

/// Counts a viewer for as long as its body lives.
struct Counted {
    counters: Arc<Counters>,
    _viewing: Viewing,
}

impl Counted {
    fn new(viewing: Viewing, counters: Arc<Counters>) -> Self {
        counters.viewers.up();
        Self {
            counters,
            _viewing: viewing,
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.counters.viewers.down();
    }
}

/// The body of a response of [`StreamService`](crate::StreamService): a stream, or a short text.
#[derive(Debug)]
pub struct ResponseBody(Kind);

#[derive(Debug)]
enum Kind {
    Stream(MjpegBody),
    Text(Full<Bytes>),
}

impl ResponseBody {
    pub(crate) fn text(text: &'static str) -> Self {
        Self(Kind::Text(Full::new(Bytes::from_static(text.as_bytes()))))
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
            Kind::Text(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Stream(body) => body.is_end_stream(),
            Kind::Text(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Stream(body) => body.size_hint(),
            Kind::Text(body) => body.size_hint(),
        }
    }
}
