//! The endless body of a stream response, and the short ones beside it.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use mjpeg_codec::multipart::Layout;
use mjpeg_fanout::Consumer;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use crate::{
    HttpConfig,
    alarm::Alarm,
    asked::StreamWish,
    feed::{Feed, Next},
    seats::Seat,
    service::Closing,
};

/// The body of a stream response: the opening delimiter, then a part per frame, each time the newest, for as long as the fan-out has a
/// producer.
///
/// Each data frame is one whole part, in one buffer that all viewers share. The next part is chosen when the connection has let go of the one before, so what a
/// slow viewer misses is missed whole; see [the crate's docs](crate#lagging). While the body lives it counts as a viewer in the fan-out's
/// [demand](mjpeg_fanout::Demand).
///
/// For servers of your own; [`StreamService`](crate::StreamService) adds the response's header, and picks the layout by the request.
pub struct MjpegBody {
    parts: Pin<Box<dyn Stream<Item = Bytes> + Send>>,
}

impl MjpegBody {
    /// Makes a body that takes its frames from a consumer of its own. It counts for no limit on viewers.
    pub fn new(consumer: Consumer, layout: Layout, config: &HttpConfig) -> Self {
        let wish = StreamWish {
            layout,
            repeat_soon: layout == Layout::Trailing,
            fps: config.max_fps,
            kbps: config.max_kbps,
            max_duration: config.max_duration,
            ..StreamWish::default()
        };
        let seat = Seat::alone(&consumer, &wish, config);
        // Without a service there is nobody to close it but the producer.
        Self::of(Feed::new(seat, &wish, config), consumer, None)
    }

    pub(crate) fn of(feed: Feed, consumer: Consumer, closing: Option<Closing>) -> Self {
        let opening = feed.opening();
        let parts = Parts {
            feed,
            frames: consumer.clone(),
            consumer,
            closing,
            alarm: Alarm::default(),
            written: Arc::new(Semaphore::new(1)),
        };
        let parts = stream::unfold(parts, Parts::next);
        // One allocation per viewer; the futures of all later waits live inside it.
        Self {
            parts: Box::pin(stream::iter([opening]).chain(parts).fuse()),
        }
    }
}

struct Parts {
    feed: Feed,
    consumer: Consumer,
    /// Tells when there is a new frame.
    frames: Consumer,
    closing: Option<Closing>,
    alarm: Alarm,
    /// There to be taken when the part before is written.
    written: Arc<Semaphore>,
}

impl Parts {
    async fn next(mut self) -> Option<(Bytes, Self)> {
        // Fails only when the semaphore is closed, which nobody does.
        let written = Arc::clone(&self.written).acquire_owned().await.ok()?;
        let mut has_producer = true;
        loop {
            if self.feed.seat().is_replaced() {
                return None;
            }
            let newest = self.consumer.latest();
            let interval = self.consumer.interval();
            let next = self.feed.next(newest.as_ref(), interval, Instant::now());
            let wait = match next {
                Next::Send(sending) if has_producer || !sending.is_repeat => {
                    let held = Held {
                        part: sending.part,
                        _written: written,
                    };
                    return Some((Bytes::from_owner(held), self));
                }
                Next::Wait(wait) if has_producer => wait,
                _ => return None,
            };
            tokio::select! {
                biased;
                () = closed(&mut self.closing) => return None,
                frame = self.frames.next() => has_producer = frame.is_some(),
                () = self.feed.seat().cut() => {}
                () = self.alarm.until(wait) => {}
            }
        }
    }
}

async fn closed(closing: &mut Option<Closing>) {
    match closing {
        Some(closing) => closing.wanted().await,
        None => std::future::pending().await,
    }
}

/// A part in the hands of the connection. hyper drops it when its last byte has been given to the kernel.
struct Held {
    part: Bytes,
    _written: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.part
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
