//! A plan, and what has come of it.

use crate::plan::{ClipPlan, PlannedFrame};

/// A plan, and which of its frames have come, with their sizes.
pub(crate) struct Clip {
    pub(crate) plan: ClipPlan,
    /// A bit per frame: whether it was there when its turn came.
    present: Vec<u64>,
    sizes: Vec<SizeRun>,
}

/// The size of a frame that is there, and of all later ones up to the next run.
#[derive(Clone, Copy)]
pub(crate) struct SizeRun {
    pub(crate) first: usize,
    pub(crate) width: u16,
    pub(crate) height: u16,
}

impl Clip {
    pub(crate) fn new(mut plan: ClipPlan) -> Self {
        plan.shrink();
        Self {
            present: vec![0; plan.len().div_ceil(64)],
            sizes: Vec::new(),
            plan,
        }
    }

    /// Notes that a frame is there. Frames come in the order of the plan.
    pub(crate) fn note(&mut self, index: usize, width: u16, height: u16) {
        self.present[index / 64] |= 1 << (index % 64);
        let last = self.sizes.last();
        if last.is_none_or(|run| (run.width, run.height) != (width, height)) {
            self.sizes.push(SizeRun {
                first: index,
                width,
                height,
            });
        }
    }

    pub(crate) fn is_present(&self, index: usize) -> bool {
        self.present[index / 64] >> (index % 64) & 1 == 1
    }

    pub(crate) fn sizes(&self) -> &[SizeRun] {
        &self.sizes
    }

    /// The frames that are there, with their indices in the plan.
    pub(crate) fn present(&self) -> impl Iterator<Item = (usize, PlannedFrame)> + '_ {
        let frames = self.plan.frames().iter().copied().enumerate();
        frames.filter(|(index, _)| self.is_present(*index))
    }
}
