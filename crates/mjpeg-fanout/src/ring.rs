//! The last frames of a stream, for replay.
//!
//! Frames are copied once, into segments of a fixed size. So the ring knows how much memory it
//! keeps allocated. A frame as it was read may hold a buffer of three times its length.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

use crate::{
    published::Published,
    recorder::Recorder,
    ring::{
        config::RingConfig,
        frame::RingFrame,
        memory::{HoldsMemory, RingBytes, RingMemory},
        segment::{RingSegment, segment_bytes},
        tiers::Tiers,
    },
};

pub(crate) mod config;
pub(crate) mod frame;
pub(crate) mod memory;
mod segment;
mod tiers;

/// The last frames of a stream. Clones share one ring. See [the crate's docs](crate#replay).
#[derive(Clone)]
pub struct ReplayRing {
    shared: Arc<RingShared>,
}

/// Fills a [`ReplayRing`]. Each ring has one writer.
pub struct RingWriter {
    shared: Arc<RingShared>,
}

/// What a [`ReplayRing`] holds, and what it has lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RingStats {
    /// How many frames it holds.
    pub frames: usize,
    /// How many bytes of memory they keep allocated, including frames that readers still hold.
    pub bytes: usize,
    /// How many frames were added.
    pub recorded: u64,
    /// How many frames were not added, because the recorder's queue was full or there was no
    /// memory.
    pub lost: u64,
    /// How many frames were dropped early, because of a limit on memory.
    pub evicted: u64,
}

/// What the writer and all readers of a ring share.
pub(crate) struct RingShared {
    state: Mutex<RingState>,
    memory: RingMemory,
    held: Arc<RingBytes>,
    /// The number of the newest frame.
    newest: watch::Sender<u64>,
}

struct RingState {
    config: RingConfig,
    tiers: Tiers,
    recorded: u64,
    lost: u64,
    evicted: u64,
}

impl ReplayRing {
    /// Makes an empty ring that takes its memory from `memory`, which other rings may share.
    pub fn new(config: RingConfig, memory: &RingMemory) -> (RingWriter, Self) {
        let shared = Arc::new(RingShared {
            state: Mutex::new(RingState {
                tiers: Tiers::new(config.tiers()),
                config,
                recorded: 0,
                lost: 0,
                evicted: 0,
            }),
            memory: memory.clone(),
            held: Arc::new(RingBytes::default()),
            newest: watch::Sender::new(0),
        });
        let weak = Arc::downgrade(&shared);
        memory.add(weak);
        let ring = Self {
            shared: Arc::clone(&shared),
        };
        (RingWriter { shared }, ring)
    }

    /// Returns what the ring keeps.
    pub fn config(&self) -> RingConfig {
        self.shared.state().config.clone()
    }

    /// Replaces what the ring keeps. What it no longer keeps is dropped when the next frame comes.
    pub fn configure(&self, config: RingConfig) {
        let mut state = self.shared.state();
        state.tiers.configure(config.tiers());
        state.config = config;
    }

    /// Returns the latest frame at this time: the last one that was captured at or before it.
    /// Returns `None` if all frames in the ring are later.
    pub fn at(&self, time: Instant) -> Option<RingFrame> {
        self.shared.state().tiers.at(time)
    }

    /// Returns the first frame with a [number](RingFrame::number) greater than this one. With 0,
    /// returns the oldest frame.
    pub fn after(&self, number: u64) -> Option<RingFrame> {
        self.shared.state().tiers.after(number)
    }

    /// Returns the first frame that was captured at this time or later.
    pub fn since(&self, time: Instant) -> Option<RingFrame> {
        self.shared.state().tiers.since(time)
    }

    /// Returns when the oldest and the newest frame were captured.
    pub fn span(&self) -> Option<(Instant, Instant)> {
        self.shared.state().tiers.span()
    }

    /// Lists the frames that were captured from `from` to `to`, both included, but only the first
    /// `most` of them. Returns the number, the time of capture and the length in bytes of each.
    pub fn list(&self, from: Instant, to: Instant, most: usize) -> Vec<(u64, Instant, usize)> {
        self.shared.state().tiers.list(from, to, most)
    }

    /// Waits until [`after`](Self::after) returns a frame for this number. Returns `true` when it
    /// does, and `false` if it does not and the writer was dropped.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn grown(&self, number: u64) -> bool {
        let mut newest = self.shared.newest.subscribe();
        loop {
            // Seen before the look, so that no frame is missed. The writer marks its end with the
            // greatest number.
            let has_ended = *newest.borrow_and_update() == u64::MAX;
            // A greater number may have been given to a frame that was dropped since.
            if self.after(number).is_some() {
                return true;
            }
            // The sender lives in `self`.
            if has_ended || newest.changed().await.is_err() {
                return false;
            }
        }
    }

    /// Returns what the ring holds, and what it has lost.
    pub fn stats(&self) -> RingStats {
        let state = self.shared.state();
        RingStats {
            frames: state.tiers.frames(),
            bytes: self.shared.held.now(),
            recorded: state.recorded,
            lost: state.lost,
            evicted: state.evicted,
        }
    }
}

impl RingWriter {
    /// Adds a frame. Drops frames that are too old, or whose memory is needed.
    ///
    /// Ignores placeholders. A frame for which there is no memory counts as lost.
    pub fn push(&mut self, published: &Published) {
        if published.is_placeholder {
            return;
        }
        let captured = Instant::from_std(published.stamp.monotonic());
        let shared = &*self.shared;
        let at = shared.state().tiers.in_order(captured);
        let state = shared.age(at);
        if !state.tiers.takes_first(at) {
            return;
        }
        let mut state = shared.make_room(state, 0, published.frame.bytes().len());
        if state.tiers.put(published, at) {
            state.recorded += 1;
            let newest = state.tiers.newest();
            drop(state);
            shared.newest.send_replace(newest);
        } else {
            state.lost += 1;
        }
    }

    /// Adds all frames of a recorder, until its producer is dropped. Frames that the recorder has
    /// lost count as lost here, too.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no frame that was taken is lost.
    pub async fn record(&mut self, recorder: &mut Recorder) {
        loop {
            let due = Instant::now() + EXPIRE_EVERY;
            let Ok(published) = timeout_at(due, recorder.next()).await else {
                // No frame comes, and those that are there grow old.
                drop(self.shared.age(Instant::now()));
                continue;
            };
            self.shared.state().lost += recorder.newly_lost();
            match published {
                Some(published) => self.push(&published),
                None => return,
            }
        }
    }
}

impl Drop for RingWriter {
    fn drop(&mut self) {
        self.shared.newest.send_replace(u64::MAX);
    }
}

impl RingShared {
    fn state(&self) -> MutexGuard<'_, RingState> {
        // Nothing under this lock can panic and leave a change half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops frames that are too old, and moves others to the next tier, which keeps fewer.
    fn age(&self, now: Instant) -> MutexGuard<'_, RingState> {
        let mut state = self.state();
        state.tiers.expire(now);
        while let Some((tier, frame)) = state.tiers.leaving(now) {
            state = self.make_room(state, tier, frame.frame().bytes().len());
            if !state.tiers.move_on(tier, &frame) {
                state.evicted += 1;
            }
        }
        state
    }

    /// Makes room for a frame of this length in the segment of a tier, if there is memory. Releases
    /// the lock meanwhile, because other rings may have to free memory.
    fn make_room<'a>(
        &'a self,
        mut state: MutexGuard<'a, RingState>,
        tier: usize,
        bytes: usize,
    ) -> MutexGuard<'a, RingState> {
        if state.tiers.has_room(tier, bytes) {
            return state;
        }
        state.tiers.end_segment(tier);
        let (most, tiers) = (state.config.max_bytes(), state.config.tiers().len());
        let bytes = segment_bytes(bytes, most / (2 * tiers.max(1)));
        drop(state);
        while self.held.now() + bytes > most && self.evict() {}
        let ticket = self.memory.take(bytes, &self.held);
        let mut state = self.state();
        if let Some(ticket) = ticket.filter(|_| self.held.now() <= most) {
            state.tiers.begin_segment(tier, RingSegment::new(ticket));
        }
        state
    }
}

impl HoldsMemory for RingShared {
    fn evict(&self) -> bool {
        let mut state = self.state();
        let evicted = state.tiers.evict();
        state.evicted += evicted as u64;
        evicted > 0
    }

    fn held(&self) -> &Arc<RingBytes> {
        &self.held
    }
}

impl fmt::Debug for ReplayRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayRing")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RingWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RingWriter").finish_non_exhaustive()
    }
}

/// How often the ring looks for frames that are too old, while no new ones come.
const EXPIRE_EVERY: Duration = Duration::from_secs(1);
