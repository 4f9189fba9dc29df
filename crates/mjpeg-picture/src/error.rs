//! The error of this crate.

use crate::limits::{MAX_SIDE, MIN_SIDE};

/// Why a picture was refused. The caller chose the argument at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The width or the height is out of bounds.
    #[error("{width}x{height} is outside {MIN_SIDE}x{MIN_SIDE} to {MAX_SIDE}x{MAX_SIDE}")]
    Size {
        /// The width requested, in pixels.
        width: u16,
        /// The height requested, in pixels.
        height: u16,
    },
    /// The JPEG quality is out of bounds.
    #[error("quality {quality} is outside 1 to 100")]
    Quality {
        /// The quality requested.
        quality: u8,
    },
    /// The pixels do not fill the picture, or exceed it, or the picture is empty.
    #[error("{bytes} bytes do not make a picture of {width}x{height} RGB pixels")]
    Pixels {
        /// The width given, in pixels.
        width: u16,
        /// The height given, in pixels.
        height: u16,
        /// The bytes given; a pixel has three.
        bytes: usize,
    },
}

impl Error {
    /// Checks the size of a picture to draw.
    pub(crate) fn check_size(width: u16, height: u16) -> Result<(), Self> {
        let allowed = MIN_SIDE..=MAX_SIDE;
        if allowed.contains(&width) && allowed.contains(&height) {
            Ok(())
        } else {
            Err(Self::Size { width, height })
        }
    }

    /// Checks a JPEG quality.
    pub(crate) fn check_quality(quality: u8) -> Result<(), Self> {
        if (1..=100).contains(&quality) {
            Ok(())
        } else {
            Err(Self::Quality { quality })
        }
    }
}
