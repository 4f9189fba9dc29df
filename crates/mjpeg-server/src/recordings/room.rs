//! Room for clips, which those that events have made give away.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use mjpeg_timelapse::{Error as StoreError, TimelapseJob, TimelapseState, TimelapseStore};
use tracing::info;

use super::{shown::print_id, slot::StoreSlot};

/// Makes room for clips, and counts what it has deleted for that.
#[derive(Debug, Default)]
pub(super) struct ClipRoom {
    /// Held while room is made, so that two do not delete for the same need.
    making: Mutex<()>,
    deleted: AtomicU64,
}

impl ClipRoom {
    /// How many clips were deleted.
    pub(super) fn deleted(&self) -> u64 {
        self.deleted.load(Ordering::Relaxed)
    }

    /// Makes room for a new clip of this many bytes. If there is none, or the store cannot be
    /// opened, keeping the clip says so.
    pub(super) fn make_for(&self, slot: &StoreSlot, bytes: u64) {
        if let Ok(store) = slot.open() {
            self.make(&store, bytes, 1);
        }
    }

    /// Deletes the oldest clips that events have made, until there is room for so many bytes and
    /// new clips. Deletes nothing if there would not be enough room even so. A clip that somebody
    /// has asked for is never deleted, nor is one that is being made.
    pub(super) fn make(&self, store: &TimelapseStore, bytes: u64, new: usize) {
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let figures = store.figures();
        let jobs = store.list();
        let count = jobs.len() + store.damaged().len() + new;
        let mut lacking =
            (figures.used_bytes.saturating_add(bytes)).saturating_sub(figures.quota_bytes);
        let mut too_many = count.saturating_sub(TimelapseStore::MAX_JOBS);
        let spare: Vec<TimelapseJob> = jobs.into_iter().filter(is_spare).collect();
        let spare_bytes = spare.iter().map(|job| job.bytes).sum::<u64>();
        if lacking > spare_bytes || too_many > spare.len() {
            return;
        }
        // The oldest comes first.
        for job in spare {
            if lacking == 0 && too_many == 0 {
                return;
            }
            match store.delete(&job.id) {
                // Somebody else has deleted it meanwhile.
                Ok(()) | Err(StoreError::NoJob) => {}
                // Then keeping the clip fails, too, and says why.
                Err(_) => return,
            }
            lacking = lacking.saturating_sub(job.bytes);
            too_many = too_many.saturating_sub(1);
            self.deleted.fetch_add(1, Ordering::Relaxed);
            let id = print_id(mjpeg_control::RecordingKind::Clip, &job.id);
            info!(
                stream = job.spec.stream(),
                id, "clip by event deleted to make room"
            );
        }
    }
}

fn is_spare(job: &TimelapseJob) -> bool {
    job.spec.event().is_some() && !matches!(job.state, TimelapseState::Running)
}
