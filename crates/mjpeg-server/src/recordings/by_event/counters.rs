//! What becomes of clips by event.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the clips that a stream has kept by itself.
#[derive(Debug, Default)]
pub(super) struct ClipCounters {
    kept: AtomicU64,
    failed: AtomicU64,
}

/// A reading of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventClipStats {
    /// Clips that were kept.
    pub(crate) kept: u64,
    /// Clips of which nothing or only a part was kept.
    pub(crate) failed: u64,
}

impl ClipCounters {
    pub(super) fn keep(&self) {
        self.kept.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn fail(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> EventClipStats {
        EventClipStats {
            kept: self.kept.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }
}
