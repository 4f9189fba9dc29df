//! The bounds of what the crate draws.

/// The smallest side of a drawn picture, in pixels.
pub(crate) const MIN_SIDE: u16 = 16;

/// The largest side of a drawn picture, in pixels.
pub(crate) const MAX_SIDE: u16 = 8192;
