//! The identity of a lease.

/// The identity of a lease, as the engine gave it.
///
/// An identity is never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId(i64);

impl LeaseId {
    /// Makes the identity of a lease from the engine's number.
    pub fn new(id: i64) -> Self {
        Self(id)
    }

    /// The engine's number.
    pub fn get(self) -> i64 {
        self.0
    }
}
