//! Which frames slow viewers still hold in memory.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use mjpeg_codec::multipart::{AllowOrigin, Part};

/// The parts that viewers may still hold, oldest first.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    /// The newest frame whose part for any origin is in the list.
    newest_seq: AtomicU64,
    parts: Mutex<VecDeque<HeldPart>>,
}

#[derive(Debug)]
struct HeldPart {
    seq: u64,
    part: Part,
}

impl InFlight {
    /// Records that a viewer takes a frame's part for this origin. Only the first viewer to take it
    /// pays for the bookkeeping.
    ///
    /// Returns the sequence numbers of the frames to let go of so that those older than this one
    /// fit into `most_bytes`: the oldest first.
    pub(crate) fn take(
        &self,
        seq: u64,
        part: &Part,
        origin: &AllowOrigin,
        most_bytes: usize,
    ) -> Vec<u64> {
        let is_restricted = *origin != AllowOrigin::ANY;
        if !is_restricted && self.newest_seq.fetch_max(seq, Ordering::Relaxed) >= seq {
            return Vec::new();
        }
        let mut parts = self.lock();
        let is_same = |held: &HeldPart| held.seq == seq && held.part.is_same(part);
        if is_restricted && parts.iter().any(is_same) {
            return Vec::new();
        }
        // Drop the parts that only this list still holds.
        parts.retain(|held| !held.part.is_unique());
        // Parts of this frame for other origins are as new.
        let older = parts.iter().filter(|held| held.seq < seq);
        let mut bytes: usize = older.map(|held| held.part.size_bytes()).sum();
        let mut let_go = Vec::new();
        while bytes > most_bytes
            && parts.front().is_some_and(|oldest| oldest.seq < seq)
            && let Some(oldest) = parts.pop_front()
        {
            bytes -= oldest.part.size_bytes();
            let_go.push(oldest.seq);
        }
        parts.push_back(HeldPart {
            seq,
            part: part.clone(),
        });
        let_go
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<HeldPart>> {
        // Nothing under this lock can panic and leave half a change.
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
