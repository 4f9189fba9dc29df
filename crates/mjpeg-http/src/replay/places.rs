//! How many replays and clips there may be at once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use crate::{config::stream::StreamConfig, limit::replays::ReplayLimit, stats::StreamCounters};

/// How many replays and clips of a stream are on their way.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReplayPlaces(Arc<AtomicUsize>);

/// A place for a replay or a clip, until it is dropped.
#[derive(Debug)]
pub(crate) struct ReplayPlace {
    places: ReplayPlaces,
    total: Option<ReplayLimit>,
}

/// The limit that keeps a replay or a clip out, with how many it allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReplaysFull {
    Stream(usize),
    Total(usize),
}

impl ReplaysFull {
    /// The reason, for the client that was refused.
    pub(crate) fn reason(self) -> String {
        let (whose, most) = match self {
            Self::Stream(most) => ("this stream", most),
            Self::Total(most) => ("all streams together", most),
        };
        format!("Too many replays and clips at once: {whose} may have {most}. Try again later.\n")
    }
}

impl ReplayPlaces {
    /// Takes a place, if the limits allow one more.
    pub(crate) fn take(
        &self,
        config: &StreamConfig,
        counters: &StreamCounters,
    ) -> Result<ReplayPlace, ReplaysFull> {
        let most = config.max_replays();
        let more = |now| (now < most).then_some(now + 1);
        let taken = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        if taken.is_err() {
            counters.replays_refused.add_one();
            return Err(ReplaysFull::Stream(most));
        }
        let mut place = ReplayPlace {
            places: self.clone(),
            total: None,
        };
        if let Some(limit) = config.replay_limit() {
            if !limit.total().take() {
                counters.replays_refused.add_one();
                limit.total().count_refused();
                return Err(ReplaysFull::Total(limit.most()));
            }
            place.total = Some(limit.clone());
        }
        Ok(place)
    }
}

impl Drop for ReplayPlace {
    fn drop(&mut self) {
        self.places.0.fetch_sub(1, Ordering::Relaxed);
        if let Some(total) = &self.total {
            total.total().give_back();
        }
    }
}
