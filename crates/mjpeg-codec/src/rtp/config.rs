//! The limits of a depacketizer, and what it is told of the pictures.

/// The limits of a [`Depacketizer`](super::Depacketizer), and what it is told of the pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DepacketizerConfig {
    max_frame_bytes: usize,
    size: Option<(u16, u16)>,
}

impl Default for DepacketizerConfig {
    fn default() -> Self {
        Self {
            max_frame_bytes: DEFAULT_MAX_FRAME_BYTES,
            size: None,
        }
    }
}

impl DepacketizerConfig {
    /// Sets the length of the largest picture accepted, in bytes from SOI to EOI. Default 16 MiB.
    ///
    /// More than the 16 MiB that an offset of 24 bits can name has no effect. A longer picture is
    /// dropped as [`DropReason::TooLarge`](super::DropReason::TooLarge).
    pub fn with_max_frame_bytes(mut self, bytes: usize) -> Self {
        self.max_frame_bytes = bytes;
        self
    }

    /// Sets the width and height that the description of the session states, in pixels. Default:
    /// none. 0 counts as none.
    ///
    /// They take the place of a size that the packets leave open (0), and of one that is the same
    /// but for what their 8 bits cannot hold.
    pub fn with_size(mut self, size: impl Into<Option<(u16, u16)>>) -> Self {
        self.size = size
            .into()
            .filter(|&(width, height)| width > 0 && height > 0);
        self
    }

    /// Returns the length of the largest picture accepted, in bytes.
    pub fn max_frame_bytes(&self) -> usize {
        self.max_frame_bytes
    }

    /// Returns the size that the description of the session states.
    pub fn size(&self) -> Option<(u16, u16)> {
        self.size
    }
}

/// As large as a splitter's frames may be, and as a fragment's offset allows.
const DEFAULT_MAX_FRAME_BYTES: usize = 16 << 20;
