//! The rate of an AVI, and the slot of each frame.

use crate::plan::ClipPlan;

/// Gives each frame a slot: the one that is nearest to its time, or the first that is free.
#[derive(Clone)]
pub(super) struct Slots {
    /// The time of a slot, in microseconds.
    pub(super) slot_us: u64,
    next: u64,
}

impl Slots {
    pub(super) fn new(slot_us: u64) -> Self {
        Self { slot_us, next: 0 }
    }

    /// Places the next frame. Returns how many slots before it stay empty.
    pub(super) fn place(&mut self, at_us: u64) -> u64 {
        let nearest = (at_us + self.slot_us / 2) / self.slot_us;
        let empty = nearest.saturating_sub(self.next);
        self.next += empty + 1;
        empty
    }

    /// How many slots there are so far.
    pub(super) fn count(&self) -> u64 {
        self.next
    }
}

/// Chooses the time of a slot: the usual interval of the frames, or a fraction of it if frames come
/// in bursts and would be shown late by more than that interval.
///
/// A pause costs an empty slot per interval. If these were more than [`MAX_EMPTY`], the slots are
/// longer: frames before and after such a pause are shown too slowly, but none is left out, and the
/// pause makes up for it.
pub(super) fn slot_us(plan: &ClipPlan) -> u64 {
    let usual = plan.interval_us();
    let span = plan.frames().last().map_or(0, |frame| frame.at_us);
    let most_empty = (MIN_EMPTY + EMPTY_PER_FRAME * plan.len() as u64).min(MAX_EMPTY);
    let shortest = span.div_ceil(most_empty).max(1);
    let mut slot_us = usual.max(shortest);
    for fraction in FRACTIONS {
        slot_us = (usual / fraction).max(shortest);
        if slot_us == shortest || lag_us(plan, slot_us) <= usual {
            break;
        }
    }
    slot_us
}

/// By how much a frame is shown too late, at most.
fn lag_us(plan: &ClipPlan, slot_us: u64) -> u64 {
    let mut slots = Slots::new(slot_us);
    let lags = plan.frames().iter().map(|frame| {
        slots.place(frame.at_us);
        ((slots.count() - 1) * slot_us).saturating_sub(frame.at_us)
    });
    lags.max().unwrap_or(0)
}

const FRACTIONS: [u64; 8] = [1, 2, 3, 4, 6, 8, 12, 16];
/// How many empty slots a clip may have, by its frames. At 30 frames a second, a million lasts for
/// nine hours. Each takes 24 bytes of the file.
const MIN_EMPTY: u64 = 1_000_000;
const EMPTY_PER_FRAME: u64 = 16;
const MAX_EMPTY: u64 = 4_000_000;
