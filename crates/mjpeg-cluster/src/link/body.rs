//! The answer that never ends: frames, and how the camera is.

use std::{pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use mjpeg_codec::{
    FrameId,
    multipart::{RelayHeaders, RelayId, Via},
};
use mjpeg_fanout::{Consumer, Published, Status};
use mjpeg_http::{StreamWatcher, WatchedFrame};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep, sleep_until},
};

use super::{
    edges::EdgePlace,
    node::{LinkNode, LinkPlace, LinkStream},
    state,
};

/// What one node is sent.
pub(super) struct Feeding {
    pub(super) node: Arc<dyn LinkNode>,
    pub(super) relay: RelayId,
    pub(super) stream: String,
    pub(super) depth: u8,
    /// The epoch in which this node owns the stream, if it is known.
    pub(super) epoch: Option<u64>,
    pub(super) consumer: Consumer,
    pub(super) watcher: StreamWatcher,
    /// Counts the node.
    pub(super) _place: EdgePlace,
}

/// The parts of the answer, as bytes. Each is chosen when the one before is in the kernel, so a
/// slow node skips whole frames.
pub(super) fn parts(feeding: Feeding) -> impl Stream<Item = Bytes> + Send {
    let now = Instant::now();
    let pull = EdgeParts {
        feeding,
        written: Arc::new(Semaphore::new(1)),
        image: None,
        last: None,
        // The first part says how the camera is.
        beats_at: now,
        beat: Box::pin(sleep_until(now)),
    };
    stream::unfold(pull, EdgeParts::next)
}

struct EdgeParts {
    feeding: Feeding,
    /// Available once the part before is written.
    written: Arc<Semaphore>,
    /// The image whose head was given out.
    image: Option<Bytes>,
    /// The frame last sent.
    last: Option<FrameId>,
    /// When to say next how the camera is.
    beats_at: Instant,
    beat: Pin<Box<Sleep>>,
}

impl EdgeParts {
    async fn next(mut self) -> Option<(Bytes, Self)> {
        if let Some(image) = self.image.take() {
            return Some((image, self));
        }
        // Fails only for a closed semaphore, and this one is never closed.
        let written = Arc::clone(&self.written).acquire_owned().await.ok()?;
        loop {
            if Instant::now() >= self.beats_at {
                let part = HeldContent {
                    content: self.state_part()?,
                    _written: written,
                };
                return Some((Bytes::from_owner(part), self));
            }
            if self.beat.deadline() != self.beats_at {
                self.beat.as_mut().reset(self.beats_at);
            }
            let Feeding {
                consumer, watcher, ..
            } = &mut self.feeding;
            tokio::select! {
                biased;
                status = consumer.status_changed() => {
                    status?;
                    self.beats_at = Instant::now();
                }
                due = watcher.due() => {
                    due.ok()?;
                    if let Some((head, frame)) = self.frame() {
                        let image = HeldContent {
                            content: frame,
                            _written: written,
                        };
                        self.image = Some(Bytes::from_owner(image));
                        return Some((head, self));
                    }
                }
                () = self.beat.as_mut() => {}
            }
        }
    }

    /// Takes the next frame to send. Returns `None` if it is a repeat, a placeholder, or of an owner
    /// before: what is known of the way of the others does not apply to that one.
    fn frame(&mut self) -> Option<(Bytes, WatchedFrame<Bytes>)> {
        let watcher = &mut self.feeding.watcher;
        let newest = watcher.newest()?;
        let is_foreign = self.feeding.epoch > Some(newest.id().epoch);
        if newest.is_placeholder || is_foreign || self.last == Some(newest.id()) {
            // It counts as sent, so that it is not due again at once.
            drop(watcher.take(&newest, Bytes::new()));
            return None;
        }
        let taken = watcher.take(&newest, newest.frame.bytes().clone())?;
        self.last = Some(newest.id());
        Some((self.head(&newest), taken))
    }

    /// What stands before the image.
    fn head(&self, frame: &Published) -> Bytes {
        let consumer = &self.feeding.consumer;
        let captured = frame.stamp.monotonic();
        let said = RelayHeaders {
            id: frame.id(),
            age: Instant::now()
                .into_std()
                .saturating_duration_since(captured),
            // A camera that is being connected is not lost.
            is_online: consumer.status() != Status::Offline,
            is_repeat: false,
            via: Via::through(self.feeding.relay, &consumer.via()),
        };
        let shown = frame.stamp.shown();
        let since = shown.duration_since(std::time::UNIX_EPOCH);
        let since = since.unwrap_or_default();
        let mut head = opening("image/jpeg", frame.frame.bytes().len());
        let (seconds, micros) = (since.as_secs(), since.subsec_micros());
        head += &format!("x-timestamp: {seconds}.{micros:06}\r\n");
        for (name, value) in said.fields() {
            head += name;
            head += ": ";
            head += &value;
            head += "\r\n";
        }
        head += "\r\n";
        head.into()
    }

    /// Says how the camera is; `None` if the stream is no longer to be read here.
    fn state_part(&mut self) -> Option<Vec<u8>> {
        let stream = self.stream()?;
        self.feeding.epoch = stream.epoch;
        self.beats_at = Instant::now() + HEARTBEAT;
        let json = state::render(&stream);
        let mut part = opening("application/json", json.len()).into_bytes();
        part.extend(b"\r\n");
        part.extend(json);
        Some(part)
    }

    /// The stream, if its place is still the same.
    fn stream(&self) -> Option<LinkStream> {
        let Feeding {
            node,
            stream,
            depth,
            ..
        } = &self.feeding;
        let stream = match node.place(stream) {
            LinkPlace::Here(stream) => Some(stream),
            LinkPlace::Elsewhere { relayed, .. } => relayed,
            _ => None,
        };
        stream.filter(|stream| stream.depth == *depth)
    }
}

/// The delimiter, and the headers that each part has.
fn opening(content_type: &str, len: usize) -> String {
    format!("\r\n--{BOUNDARY}\r\ncontent-type: {content_type}\r\ncontent-length: {len}\r\n")
}

/// Bytes on their way. The connection drops them when the last one is in the kernel.
struct HeldContent<T> {
    content: T,
    _written: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for HeldContent<Vec<u8>> {
    fn as_ref(&self) -> &[u8] {
        &self.content
    }
}

impl AsRef<[u8]> for HeldContent<WatchedFrame<Bytes>> {
    fn as_ref(&self) -> &[u8] {
        self.content.form()
    }
}

/// Between the parts. Readers go by the lengths.
pub(super) const BOUNDARY: &str = "boundarydonotcross";

/// How often a node says how the camera is, at least.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(1);
