//! The settings of replays and clips.

use super::StreamConfig;
use crate::limit::replays::ReplayLimit;

impl StreamConfig {
    /// Sets how many replays (`/stream?from=`) and clips may be on their way at once. Default 4.
    /// One more is answered `503`.
    ///
    /// Counted in [`StreamStats::replays_refused`](crate::StreamStats::replays_refused).
    pub fn with_max_replays(mut self, most: usize) -> Self {
        self.max_replays = most;
        self
    }

    /// Sets a limit that this stream shares with others. Default: none.
    ///
    /// Counted in [`StreamStats::replays_refused`](crate::StreamStats::replays_refused) of each
    /// stream, and over all in [`ReplayLimit::refused`].
    pub fn with_replay_limit(mut self, limit: impl Into<Option<ReplayLimit>>) -> Self {
        self.replay_limit = limit.into();
        self
    }

    /// Returns how many replays and clips may be on their way at once.
    pub fn max_replays(&self) -> usize {
        self.max_replays
    }

    /// Returns the limit that this stream shares with others.
    pub fn replay_limit(&self) -> Option<&ReplayLimit> {
        self.replay_limit.as_ref()
    }
}
