//! How often a sender sends, and when it gives way to another one.

use std::time::Duration;

use tokio::{io::AsyncRead, time::Instant};

use super::rivals::Rivals;

/// How often a sender sends.
#[derive(Debug)]
pub(in crate::source) struct SenderRhythm {
    has_frame: bool,
    last_read: Option<Instant>,
    /// The longest time between two reads.
    longest_gap: Duration,
}

impl SenderRhythm {
    pub(in crate::source) fn new(has_frame: bool) -> Self {
        Self {
            has_frame,
            last_read: None,
            longest_gap: Duration::ZERO,
        }
    }

    pub(in crate::source) fn has_frame(&self) -> bool {
        self.has_frame
    }

    /// Records that a whole frame came.
    pub(in crate::source) fn frame(&mut self) {
        self.has_frame = true;
    }

    /// Records that bytes came.
    pub(in crate::source) fn record(&mut self, now: Instant) {
        if let Some(last) = self.last_read.replace(now) {
            self.longest_gap = self.longest_gap.max(now.saturating_duration_since(last));
        }
    }

    /// When it gives way to a rival that has a frame, if there is one and it sends nothing until
    /// then. One that never had a frame itself gives way at once.
    pub(in crate::source) fn gives_way_at<S: AsyncRead + Unpin>(
        &self,
        rivals: &Rivals<S>,
        now: Instant,
    ) -> Option<Instant> {
        rivals.with_frame()?;
        Some(match self.last_read {
            Some(last) if self.has_frame => {
                last + SILENT_AFTER.max(self.longest_gap.saturating_mul(GAPS))
            }
            _ => now,
        })
    }
}

/// How long a sender must have been silent, at least, for another one to replace it.
pub(in crate::source) const SILENT_AFTER: Duration = Duration::from_secs(2);

/// How many of its longest pauses it must have been silent.
const GAPS: u32 = 2;
