//! The rate of an AVI, and the slot of each frame.

use crate::plan::ClipPlan;

/// Gives each frame a slot: the one nearest to its time, or the next one that is free.
#[derive(Clone)]
pub(super) struct Slots {
    /// The length of a slot, in microseconds.
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

    /// Returns how many slots there are so far.
    pub(super) fn count(&self) -> u64 {
        self.next
    }
}

/// Chooses the length of a slot. It is the usual interval between frames, or a fraction of that if
/// frames come in bursts and would otherwise be late by more than the usual interval.
///
/// A pause costs one empty slot per interval. If a clip would have too many of them (see
/// [`MIN_EMPTY`] and [`MAX_EMPTY`]), its slots are longer. The frames before and after a pause are
/// then shown too slowly, and the pause is shorter by as much, but no frame is left out.
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

/// Returns by how much a frame is shown too late, at most.
fn lag_us(plan: &ClipPlan, slot_us: u64) -> u64 {
    let mut slots = Slots::new(slot_us);
    let lags = plan.frames().iter().map(|frame| {
        slots.place(frame.at_us);
        ((slots.count() - 1) * slot_us).saturating_sub(frame.at_us)
    });
    lags.max().unwrap_or(0)
}

const FRACTIONS: [u64; 8] = [1, 2, 3, 4, 6, 8, 12, 16];
/// A clip may have this many empty slots, and [`EMPTY_PER_FRAME`] more for each frame, up to
/// [`MAX_EMPTY`]. At 30 frames a second, a million is enough for nine hours of pauses. Each slot
/// takes 24 bytes of the file.
const MIN_EMPTY: u64 = 1_000_000;
const EMPTY_PER_FRAME: u64 = 16;
const MAX_EMPTY: u64 = 4_000_000;
