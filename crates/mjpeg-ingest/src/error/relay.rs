//! Why another relay is not read.

/// Why another relay is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RelayError {
    /// It reads this one, directly or through others.
    #[error("a loop: the source is a relay that gets its pictures from this one")]
    Loop,
    /// Too many relays stand in a row.
    #[error("more than {0} relays stand between this one and the camera (max_relays)")]
    TooMany(usize),
}
