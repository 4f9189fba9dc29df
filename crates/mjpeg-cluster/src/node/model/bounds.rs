//! How far a search goes.

use crate::node::model::world::Fault;

/// How far a search goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct SearchBounds {
    /// How many faults may happen.
    pub(super) faults: u8,
    /// For how long.
    pub(super) ticks: u32,
    /// Which faults: a bit for each kind.
    pub(super) kinds: u16,
}

impl SearchBounds {
    pub(super) const fn new(faults: u8, ticks: u32) -> Self {
        let kinds = !Fault::MOVES;
        Self {
            faults,
            ticks,
            kinds,
        }
    }

    pub(super) const fn only(self, kinds: u16) -> Self {
        Self { kinds, ..self }
    }
}
