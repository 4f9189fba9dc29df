//! Limits of the splitter.

/// Limits of a [`Splitter`](crate::Splitter).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitterConfig {
    pub(crate) max_frame_bytes: usize,
    pub(crate) missing_eoi: MissingEoi,
    pub(crate) flood_allowance_bytes: u64,
}

impl Default for SplitterConfig {
    fn default() -> Self {
        Self {
            max_frame_bytes: DEFAULT_MAX_FRAME_BYTES,
            missing_eoi: MissingEoi::Discard,
            flood_allowance_bytes: DEFAULT_FLOOD_ALLOWANCE_BYTES,
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
    pub fn with_max_frame_bytes(mut self, bytes: usize) -> Self {
        self.max_frame_bytes = bytes.max(SMALLEST_LIMIT_BYTES);
        self
    }

    /// Sets what becomes of a frame that has no EOI when the next SOI, or the end of the stream, comes.
    ///
    /// The default is [`MissingEoi::Discard`].
    pub fn with_missing_eoi(mut self, missing_eoi: MissingEoi) -> Self {
        self.missing_eoi = missing_eoi;
        self
    }

    /// Sets how far a stream may overdraw what its bytes pay for before it is [a flood](crate#floods), in bytes.
    ///
    /// More lets the splitter look for frames in longer stretches of false beginnings; each MiB costs a millisecond or so, once in a while. A 64th of it is
    /// passed over at a time, and reported as [`DiscardReason::Flood`](crate::DiscardReason::Flood). The default is 1 MiB, enough for 5000 false beginnings in a row; a value below 4096 is taken as 4096.
    pub fn with_flood_allowance_bytes(mut self, bytes: usize) -> Self {
        self.flood_allowance_bytes = (bytes as u64).max(SMALLEST_ALLOWANCE_BYTES);
        self
    }

    /// The largest frame that is accepted, in bytes.
    pub fn max_frame_bytes(&self) -> usize {
        self.max_frame_bytes
    }

    /// What becomes of a frame that has no EOI.
    pub fn missing_eoi(&self) -> MissingEoi {
        self.missing_eoi
    }

    /// How far a stream may overdraw its allowance before it counts as a flood, in bytes.
    pub fn flood_allowance_bytes(&self) -> u64 {
        self.flood_allowance_bytes
    }
}

/// What becomes of a frame that has no EOI.
///
/// The bytes alone do not tell a camera that leaves out EOI from a frame that was cut off. The second is by far more
/// common, so the default is to drop both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MissingEoi {
    /// It is dropped and reported as [`DiscardReason::Truncated`](crate::DiscardReason::Truncated).
    #[default]
    Discard,
    /// The next SOI, or the end of the stream, ends it, and it comes out without an EOI, if one scan has begun.
    ///
    /// For cameras known to leave out EOI.
    Accept,
}

/// Well above any camera's picture (a 12 megapixel one takes about 5 MB), well below what hurts a small board.
const DEFAULT_MAX_FRAME_BYTES: usize = 16 << 20;

/// More damage than an honest stream can be thought to hold in one place.
const DEFAULT_FLOOD_ALLOWANCE_BYTES: u64 = 1 << 20;

/// Less would not do for the headers of one frame.
const SMALLEST_ALLOWANCE_BYTES: u64 = 4 << 10;

/// No real frame is shorter: headers alone take more.
const SMALLEST_LIMIT_BYTES: usize = 64;
