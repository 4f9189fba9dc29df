//! The error of this crate.

use crate::TestPicture;

/// Why a picture was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The width or the height is outside the bounds. The caller chose the size.
    #[error(
        "{width}x{height} is outside {min}x{min} to {max}x{max}",
        min = TestPicture::MIN_SIDE,
        max = TestPicture::MAX_SIDE
    )]
    Size {
        /// The width asked for, in pixels.
        width: u16,
        /// The height asked for, in pixels.
        height: u16,
    },
}
