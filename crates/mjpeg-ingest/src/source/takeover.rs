//! How one sender takes the place of another: at its first whole frame, when the current one has
//! been silent for longer than it usually is.

pub(super) mod rhythm;
pub(super) mod rivals;
