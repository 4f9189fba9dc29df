//! What a ring keeps.

use std::time::Duration;

/// What a [`ReplayRing`](crate::ReplayRing) keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingConfig {
    tiers: Vec<RingTier>,
    max_bytes: usize,
}

/// How many frames of a certain age are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingTier {
    every: Duration,
    keep: Duration,
}

impl RingTier {
    /// Keeps one frame per `every`, for a time of `keep` after the end of the tier before it. If
    /// `every` is zero, keeps each frame.
    pub const fn new(every: Duration, keep: Duration) -> Self {
        Self { every, keep }
    }

    /// Returns the least time between two frames that are kept.
    pub fn every(&self) -> Duration {
        self.every
    }

    /// Returns how long frames stay in this tier.
    pub fn keep(&self) -> Duration {
        self.keep
    }
}

impl RingConfig {
    /// Sets the tiers. A frame that is too old for one tier moves to the next, if that one keeps
    /// it. Default: each frame, for 60 s. Tiers beyond [`MAX_TIERS`](Self::MAX_TIERS) are ignored.
    pub fn with_tiers(mut self, tiers: impl IntoIterator<Item = RingTier>) -> Self {
        self.tiers = tiers.into_iter().take(Self::MAX_TIERS).collect();
        self
    }

    /// Sets how many bytes of memory the frames may keep allocated. Default: 256 MiB. If more would
    /// be needed, the oldest frames are dropped.
    pub fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Returns the tiers. The one with the newest frames is first.
    pub fn tiers(&self) -> &[RingTier] {
        &self.tiers
    }

    /// Returns how many bytes of memory the frames may keep allocated.
    pub fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// Returns how long frames stay in all tiers together.
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
