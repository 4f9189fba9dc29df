//! Which frames slow viewers still hold in memory.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use mjpeg_codec::multipart::{AllowOrigin, Part};
use mjpeg_fanout::Published;

/// What a viewer holds of a frame while it is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SentBytes<'a> {
    /// The part that viewers share, and the origin that may read it.
    Part(&'a Part, &'a AllowOrigin),
    /// The frame as the camera sent it.
    Picture(&'a Arc<Published>),
}

/// The parts that viewers may still hold, oldest first.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    /// The newest frame whose part for any origin is in the list.
    newest_seq: AtomicU64,
    /// The newest frame that is in the list as a picture.
    newest_picture: AtomicU64,
    parts: Mutex<VecDeque<HeldPart>>,
}

#[derive(Debug)]
struct HeldPart {
    seq: u64,
    bytes: HeldBytes,
}

#[derive(Debug)]
enum HeldBytes {
    Part(Part),
    Picture(Arc<Published>),
}

impl HeldBytes {
    fn of(sent: SentBytes<'_>) -> Self {
        match sent {
            SentBytes::Part(part, _) => Self::Part(part.clone()),
            SentBytes::Picture(frame) => Self::Picture(Arc::clone(frame)),
        }
    }

    fn is(&self, sent: SentBytes<'_>) -> bool {
        match (self, sent) {
            (Self::Part(held), SentBytes::Part(part, _)) => held.is_same(part),
            (Self::Picture(held), SentBytes::Picture(frame)) => Arc::ptr_eq(held, frame),
            _ => false,
        }
    }

    /// Whether nobody else holds it.
    fn is_unique(&self) -> bool {
        match self {
            Self::Part(part) => part.is_unique(),
            Self::Picture(frame) => Arc::strong_count(frame) == 1,
        }
    }

    fn size_bytes(&self) -> usize {
        match self {
            Self::Part(part) => part.size_bytes(),
            Self::Picture(frame) => frame.frame.bytes().len() + small_bytes(frame),
        }
    }
}

/// What was made of a frame besides, which is held as long as it is.
#[cfg(feature = "small")]
fn small_bytes(frame: &Published) -> usize {
    frame.small_memory_bytes()
}

#[cfg(not(feature = "small"))]
fn small_bytes(_: &Published) -> usize {
    0
}

impl InFlight {
    /// Records that a viewer takes a frame's part for an origin, or its picture. Only the first
    /// viewer to take it pays for the bookkeeping.
    ///
    /// Returns the sequence numbers of the frames to let go of so that those older than this one
    /// fit into `most_bytes`: the oldest first.
    pub(crate) fn take(&self, seq: u64, sent: SentBytes<'_>, most_bytes: usize) -> Vec<u64> {
        let newest = match sent {
            SentBytes::Part(_, origin) if *origin == AllowOrigin::ANY => Some(&self.newest_seq),
            SentBytes::Part(..) => None,
            SentBytes::Picture(_) => Some(&self.newest_picture),
        };
        if newest.is_some_and(|newest| newest.fetch_max(seq, Ordering::Relaxed) >= seq) {
            return Vec::new();
        }
        let mut parts = self.lock();
        let is_same = |held: &HeldPart| held.seq == seq && held.bytes.is(sent);
        if newest.is_none() && parts.iter().any(is_same) {
            return Vec::new();
        }
        // Drop the parts that only this list still holds.
        parts.retain(|held| !held.bytes.is_unique());
        // Parts of this frame for other origins are as new.
        let older = parts.iter().filter(|held| held.seq < seq);
        let mut bytes: usize = older.map(|held| held.bytes.size_bytes()).sum();
        let mut let_go = Vec::new();
        while bytes > most_bytes
            && parts.front().is_some_and(|oldest| oldest.seq < seq)
            && let Some(oldest) = parts.pop_front()
        {
            // It may have grown since.
            bytes = bytes.saturating_sub(oldest.bytes.size_bytes());
            let_go.push(oldest.seq);
        }
        parts.push_back(HeldPart {
            seq,
            bytes: HeldBytes::of(sent),
        });
        let_go
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<HeldPart>> {
        // Nothing under this lock can panic and leave half a change.
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(all(test, feature = "small"))]
mod tests {
    use std::time::SystemTime;

    use mjpeg_codec::{Frame, Stamp};
    use mjpeg_testkit::jpeg;

    use super::*;

    #[tokio::test]
    async fn held_picture_counts_with_its_small_forms() {
        let (producer, consumer) = mjpeg_fanout::channel();
        let publish = |number| {
            let frame = Frame::parse(jpeg::sized(number, 320, 240)).expect("a frame");
            let now = Stamp::new(SystemTime::now(), tokio::time::Instant::now().into_std());
            producer.publish(frame, now);
            consumer.picture().expect("the frame")
        };
        let (first, in_flight) = (publish(1), InFlight::default());
        let most = first.frame.bytes().len();
        assert!(
            in_flight
                .take(1, SentBytes::Picture(&first), most)
                .is_empty()
        );
        let second = publish(2);
        assert!(
            in_flight
                .take(2, SentBytes::Picture(&second), most)
                .is_empty()
        );
        first.small_jpeg().await.expect("a small picture");
        drop(second);
        let third = publish(3);
        assert_eq!(in_flight.take(3, SentBytes::Picture(&third), most), [1]);
    }
}
