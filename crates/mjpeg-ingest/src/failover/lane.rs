//! One source of a failover.

use std::time::Duration;

use tokio::time::Instant;

use crate::ingest::Ingest;

/// A source in use.
pub(super) struct Lane {
    pub(super) ingest: Ingest,
    pub(super) health: LaneHealth,
    /// It has had a frame.
    pub(super) was_up: bool,
    pub(super) finished: bool,
}

/// Whether frames come from a source, and since when.
#[derive(Clone, Copy)]
pub(super) enum LaneHealth {
    Down {
        since: Instant,
        /// An attempt has failed, or the camera has stalled.
        failed: bool,
    },
    Up {
        since: Instant,
    },
}

impl Lane {
    /// Whether frames come.
    pub(super) fn is_up(&self) -> bool {
        matches!(self.health, LaneHealth::Up { .. })
    }

    /// Expects no frames for now: an attempt failed, the camera stalls, or the source has ended.
    pub(super) fn down(&mut self, now: Instant) {
        match &mut self.health {
            LaneHealth::Down { failed, .. } => *failed = true,
            LaneHealth::Up { .. } => {
                self.health = LaneHealth::Down {
                    since: now,
                    failed: true,
                };
            }
        }
    }

    /// Records a frame.
    pub(super) fn up(&mut self, now: Instant) {
        if let LaneHealth::Down { .. } = self.health {
            self.health = LaneHealth::Up { since: now };
        }
        self.was_up = true;
    }

    /// Expects frames from now on.
    pub(super) fn begin(&mut self, now: Instant) {
        self.health = LaneHealth::Down {
            since: now,
            failed: false,
        };
    }

    /// When it will have had frames for this long.
    pub(super) fn stable_at(&self, return_after: Duration) -> Option<Instant> {
        match self.health {
            LaneHealth::Up { since } => Some(since + return_after),
            LaneHealth::Down { .. } => None,
        }
    }
}
