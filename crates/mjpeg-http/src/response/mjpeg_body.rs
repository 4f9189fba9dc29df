//! The endless body of a stream response, and the short ones beside it.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use http::Response;
use http_body::{Body, Frame};
use mjpeg_codec::multipart::{Boundary, Layout};
use mjpeg_fanout::{Consumer, Turn};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::Instant,
};

use crate::{
    closing::Closing,
    config::stream::StreamConfig,
    feed::{Feed, Next, SourceState, form::Rendered},
    request::stream::StreamRequest,
    response::head,
    timer::LazySleep,
    viewers::permit::Permit,
};

/// The body of a stream response: the opening delimiter, then a part per frame, each time the
/// newest, for as long as the fan-out has a producer.
///
/// Each data frame is one whole part, in one buffer that all viewers share. The next part is chosen
/// when the connection has dropped the previous one, so a slow viewer skips whole frames; see
/// [Lagging](crate#lagging). While the body lives it counts as a viewer in the fan-out's
/// [demand](mjpeg_fanout::Demand).
///
/// Use it in a server of your own. [`StreamService`](crate::StreamService) adds the head of the
/// response and chooses the layout by the request.
///
/// ```
/// use mjpeg_codec::multipart::Layout;
/// use mjpeg_http::{MjpegBody, StreamConfig};
///
/// let (producer, consumer) = mjpeg_fanout::channel();
/// let config = StreamConfig::default();
/// let response = MjpegBody::new(consumer, Layout::Trailing, &config).into_response();
/// assert_eq!(response.headers()["content-type"], MjpegBody::content_type());
/// # drop(producer);
/// ```
pub struct MjpegBody {
    /// Never locked: the mutex makes the body `Sync`, which hyper's and warp's boxed bodies
    /// require.
    parts: Mutex<PartStream>,
}

type PartStream = Pin<Box<dyn Stream<Item = Bytes> + Send>>;

impl MjpegBody {
    /// Makes a body that takes its frames from this consumer. No limit on viewers applies.
    pub fn new(consumer: Consumer, layout: Layout, config: &StreamConfig) -> Self {
        let request = StreamRequest::plain(layout);
        let now = Instant::now();
        let permit = Permit::unlimited(&consumer, &request, now);
        let feed = Feed::new(permit, request, Arc::new(config.clone()), now);
        Self::of(feed, consumer, None)
    }

    /// Returns the `Content-Type` of such a body.
    pub fn content_type() -> String {
        Boundary::default().content_type()
    }

    /// Makes a complete response: `200`, the content type, and headers that forbid caching.
    pub fn into_response(self) -> Response<Self> {
        let head = head::stream_head(http::Version::HTTP_2, &StreamRequest::default());
        head.map(|()| self)
    }

    /// Takes its frames from a feed, and ends with the service, if there is one.
    pub(crate) fn of(feed: Feed, consumer: Consumer, service: Option<ServiceEnd>) -> Self {
        let opening = feed.opening();
        let pull = Pull {
            feed,
            frames: consumer.clone(),
            turn: None,
            consumer,
            service,
            timer: LazySleep::default(),
            written: Arc::new(Semaphore::new(1)),
            held: None,
        };
        let parts = stream::unfold(pull, Pull::next);
        // One allocation per viewer; the futures of all later waits live inside it.
        Self {
            parts: Mutex::new(Box::pin(stream::iter([opening]).chain(parts).fuse())),
        }
    }
}

/// How a service ends or configures the bodies that it has given out.
pub(crate) struct ServiceEnd {
    pub(crate) closing: Closing,
    pub(crate) config: watch::Receiver<Arc<StreamConfig>>,
}

struct Pull {
    feed: Feed,
    consumer: Consumer,
    /// Waits for new frames.
    frames: Consumer,
    /// For the next frame.
    turn: Option<Turn>,
    service: Option<ServiceEnd>,
    timer: LazySleep,
    /// Available once the part before is written.
    written: Arc<Semaphore>,
    /// The part whose head was given out.
    held: Option<Held>,
}

impl Pull {
    async fn next(mut self) -> Option<(Bytes, Self)> {
        if let Some(held) = self.held.take() {
            return Some((Bytes::from_owner(held), self));
        }
        // Fails only for a closed semaphore, and this one is never closed.
        let written = Arc::clone(&self.written).acquire_owned().await.ok()?;
        let mut has_producer = true;
        loop {
            if self.feed.permit().must_end() {
                return None;
            }
            if let Some(service) = &mut self.service {
                self.feed.configure(&service.config.borrow_and_update());
            }
            // Before the look, so that it is for every frame that the look does not find.
            let turn = self.turn.replace(self.consumer.turn());
            let (newest, now) = (self.consumer.latest(), Instant::now());
            let next = self
                .feed
                .next(newest.as_ref(), self.consumer.interval(), now);
            let wait = match next {
                Next::Send(sending) if has_producer || !sending.is_repeat => {
                    let next_turn = self.turn.take();
                    let source = SourceState::of(&self.consumer);
                    let Rendered { head, part } = self.feed.render(&sending, &source, now);
                    let held = Held {
                        part,
                        _written: written,
                        _turn: turn.or(next_turn),
                    };
                    if head.is_empty() {
                        return Some((Bytes::from_owner(held), self));
                    }
                    self.held = Some(held);
                    return Some((head, self));
                }
                Next::Wait(wait) if has_producer => wait,
                _ => return None,
            };
            // A viewer that may not have the frame yet, as its rate is limited, delays nobody.
            drop(turn);
            tokio::select! {
                biased;
                has_ended = changed(&mut self.service) => if has_ended {
                    return None;
                },
                frame = self.frames.next() => has_producer = frame.is_some(),
                () = self.feed.permit().cut() => {}
                () = self.feed.permit().regranted() => {}
                () = self.timer.until(wait) => {}
            }
        }
    }
}

/// Waits until the service ends or is reconfigured; forever without one. Returns whether it ends.
async fn changed(service: &mut Option<ServiceEnd>) -> bool {
    let Some(ServiceEnd { closing, config }) = service else {
        return std::future::pending().await;
    };
    tokio::select! {
        () = closing.wait() => true,
        Ok(()) = config.changed() => false,
    }
}

/// A part that the connection holds. hyper drops it when its last byte is in the kernel.
struct Held {
    part: Bytes,
    _written: OwnedSemaphorePermit,
    _turn: Option<Turn>,
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
        let parts = self.parts.get_mut().unwrap_or_else(PoisonError::into_inner);
        let part = ready!(parts.as_mut().poll_next(cx));
        Poll::Ready(part.map(|part| Ok(Frame::data(part))))
    }
}

impl fmt::Debug for MjpegBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MjpegBody").finish_non_exhaustive()
    }
}
