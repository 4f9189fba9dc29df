//! A plan, and which of its frames were available.

use crate::plan::{ClipPlan, PlannedFrame};

/// A plan, which of its frames were available so far, and their sizes.
pub(crate) struct Clip {
    pub(crate) plan: ClipPlan,
    /// One bit per frame: whether it was available when its turn came.
    present: Vec<u64>,
    sizes: Vec<SizeRun>,
}

/// The size of the frame `first`, and of all later frames before the next run.
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

    /// Records that a frame is available, and its size. Frames come in the order of the plan.
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

    /// Returns the frames that were available, with their indices in the plan.
    pub(crate) fn present(&self) -> impl Iterator<Item = (usize, PlannedFrame)> + '_ {
        let frames = self.plan.frames().iter().copied().enumerate();
        frames.filter(|(index, _)| self.is_present(*index))
    }
}
