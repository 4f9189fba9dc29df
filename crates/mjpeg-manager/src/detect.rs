//! What a stream's pictures show: dark, covered, frozen, motion. Found in small pictures, without
//! decoding ([`mjpeg_codec::small`]).
//!
//! Pure: the caller passes in the samples and the clock.

pub(crate) mod config;
#[cfg(feature = "detect")]
pub(crate) mod detector;
#[cfg(feature = "detect")]
mod grid;
pub(crate) mod kind;
#[cfg(feature = "detect")]
mod latch;
pub(crate) mod mask;
#[cfg(feature = "detect")]
mod motion;
