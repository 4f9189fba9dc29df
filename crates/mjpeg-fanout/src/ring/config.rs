//! What a ring keeps.

use std::time::Duration;

/// What a [`ReplayRing`](crate::ReplayRing) keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingConfig {
    tiers: Vec<RingTier>,
    max_bytes: usize,
}

/// How many frames of an age are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingTier {
    every: Duration,
    keep: Duration,
}

impl RingTier {
    /// Keeps one frame in `every`, for as long as `keep` after the tier before ends. An `every` of
    /// zero: each frame.
    pub const fn new(every: Duration, keep: Duration) -> Self {
        Self { every, keep }
    }

    /// The least time between two frames that are kept.
    pub fn every(&self) -> Duration {
        self.every
    }

    /// For how long frames stay.
    pub fn keep(&self) -> Duration {
        self.keep
    }
}

impl RingConfig {
    /// Sets the tiers: a frame that is too old for one goes on to the next, if that keeps it.
    /// Default: each frame, for 60 s. More than [`MAX_TIERS`](Self::MAX_TIERS) are cut.
    pub fn with_tiers(mut self, tiers: impl IntoIterator<Item = RingTier>) -> Self {
        self.tiers = tiers.into_iter().take(Self::MAX_TIERS).collect();
        self
    }

    /// Sets how many bytes of memory the frames may keep allocated. Default: 256 MiB. The oldest
    /// frames leave when more would be needed.
    pub fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// The tiers, the newest frames first.
    pub fn tiers(&self) -> &[RingTier] {
        &self.tiers
    }

    /// How many bytes of memory the frames may keep allocated.
    pub fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// For how long frames stay in all.
    pub fn keep(&self) -> Duration {
        let tiers = self.tiers.iter().map(RingTier::keep);
        tiers.fold(Duration::ZERO, Duration::saturating_add)
    }

    /// The greatest number of tiers.
    pub const MAX_TIERS: usize = 8;
}

impl Default for RingConfig {
    fn default() -> Self {
        Self {
            tiers: vec![RingTier::new(Duration::ZERO, Duration::from_secs(60))],
            max_bytes: 256 << 20,
        }
    }
}
