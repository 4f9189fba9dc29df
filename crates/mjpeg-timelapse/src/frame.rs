//! A frame of a job.

use std::time::SystemTime;

use bytes::Bytes;

/// A JPEG and when it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimelapseFrame {
    /// The bytes of the JPEG, which are kept as they are.
    pub jpeg: Bytes,
    /// When it was taken, by the wall clock. It is kept in microseconds, from 1970 to 9999.
    pub at: SystemTime,
    /// The width in pixels.
    pub width: u16,
    /// The height in pixels.
    pub height: u16,
}

impl TimelapseFrame {
    /// Makes a frame from a JPEG, the time at which it was taken, and its size in pixels.
    pub fn new(jpeg: Bytes, at: SystemTime, width: u16, height: u16) -> Self {
        Self {
            jpeg,
            at,
            width,
            height,
        }
    }
}
