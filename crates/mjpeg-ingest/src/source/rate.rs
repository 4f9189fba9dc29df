//! Bounds of frame rates.

use std::ops::RangeInclusive;

use super::invalid::InvalidSource;

/// Checks a frame rate; one that is not a number is out of bounds.
pub(super) fn checked(fps: f64, bounds: &RangeInclusive<f64>) -> Result<f64, InvalidSource> {
    if bounds.contains(&fps) {
        Ok(fps)
    } else {
        Err(InvalidSource::BadOption(format!("fps={fps}")))
    }
}

/// Frames per second of a recording or a test picture.
pub(super) const PLAYED: RangeInclusive<f64> = 0.001..=1000.0;
