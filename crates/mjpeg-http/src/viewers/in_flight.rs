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
            Self::Picture(frame) => frame.frame.bytes().len(),
        }
    }
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
            bytes -= oldest.bytes.size_bytes();
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
