//! Limits of the splitter.

/// Limits of a [`Splitter`](crate::Splitter).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitterConfig {
    pub(crate) max_frame_bytes: usize,
}

impl Default for SplitterConfig {
    fn default() -> Self {
        Self {
            max_frame_bytes: DEFAULT_MAX_FRAME_BYTES,
        }
    }
}

impl SplitterConfig {
    /// Sets the largest frame that is accepted, in bytes from SOI to EOI inclusive.
    ///
    /// A longer frame is dropped and reported as
    /// [`DiscardReason::TooLarge`](crate::DiscardReason::TooLarge) as soon as it is known to be longer.
    /// The default is 16 MiB; a value below 64 is taken as 64. The splitter's buffer grows to at most about twice
    /// this.
    pub fn max_frame_bytes(mut self, bytes: usize) -> Self {
        self.max_frame_bytes = bytes.max(SMALLEST_LIMIT_BYTES);
        self
    }
}

/// Well above any camera's picture (a 12 megapixel one takes about 5 MB), well below what hurts a small board.
const DEFAULT_MAX_FRAME_BYTES: usize = 16 << 20;

/// No real frame is shorter: headers alone take more.
const SMALLEST_LIMIT_BYTES: usize = 64;
