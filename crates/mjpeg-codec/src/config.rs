//! The splitter's limits.

/// The limits of a [`Splitter`](crate::Splitter).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitterConfig {
    max_frame_bytes: usize,
    missing_eoi: MissingEoi,
    flood_allowance_bytes: u64,
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
    /// Sets the length of the largest frame accepted, in bytes from SOI to EOI inclusive.
    ///
    /// The default is 16 MiB. Any value is valid; no camera's frame is shorter than 64 bytes. The
    /// splitter's buffer grows to about twice this limit at most.
    ///
    /// A longer frame is dropped, and reported as
    /// [`DiscardReason::TooLarge`](crate::DiscardReason::TooLarge) as soon as its length is known
    /// to exceed the limit.
    pub fn with_max_frame_bytes(mut self, bytes: usize) -> Self {
        self.max_frame_bytes = bytes;
        self
    }

    /// Sets what happens to a frame that has no EOI when the next SOI or the end of the stream
    /// comes.
    ///
    /// The default is [`MissingEoi::Discard`].
    pub fn with_missing_eoi(mut self, missing_eoi: MissingEoi) -> Self {
        self.missing_eoi = missing_eoi;
        self
    }

    /// Sets by how many bytes a stream may overdraw the budget that its own bytes earn before it
    /// counts as [a flood](crate#floods).
    ///
    /// The default is 1 MiB, enough for 5000 false frame beginnings in a row. A larger allowance
    /// lets the splitter search longer runs of false beginnings for frames, and costs about a
    /// millisecond per MiB each time a stream uses it up. When a stream has used it up, a 64th of
    /// the allowance is skipped at a time and reported as
    /// [`DiscardReason::Flood`](crate::DiscardReason::Flood).
    ///
    /// Values below [`MIN_FLOOD_ALLOWANCE_BYTES`](Self::MIN_FLOOD_ALLOWANCE_BYTES) are raised to
    /// it, so that 0 means "as strict as possible": with less, the headers of a single frame would
    /// be a flood.
    pub fn with_flood_allowance_bytes(mut self, bytes: u64) -> Self {
        self.flood_allowance_bytes = bytes.max(Self::MIN_FLOOD_ALLOWANCE_BYTES);
        self
    }

    /// Returns the length of the largest frame accepted, in bytes.
    pub fn max_frame_bytes(&self) -> usize {
        self.max_frame_bytes
    }

    /// Returns what happens to a frame that has no EOI.
    pub fn missing_eoi(&self) -> MissingEoi {
        self.missing_eoi
    }

    /// Returns by how many bytes a stream may overdraw its budget before it counts as a flood.
    pub fn flood_allowance_bytes(&self) -> u64 {
        self.flood_allowance_bytes
    }

    /// The smallest flood allowance, in bytes: just enough for the headers of one frame.
    pub const MIN_FLOOD_ALLOWANCE_BYTES: u64 = 4 << 10;
}

/// What happens to a frame that has no EOI.
///
/// The bytes alone do not distinguish a camera that omits EOI from a frame that was cut off. The
/// second is far more common, so the default drops both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MissingEoi {
    /// The frame is dropped and reported as
    /// [`DiscardReason::Truncated`](crate::DiscardReason::Truncated).
    #[default]
    Discard,
    /// The next SOI or the end of the stream ends the frame, if one of its scans has begun. The
    /// frame comes out without an EOI.
    ///
    /// For cameras known to omit EOI.
    Accept,
}

/// Well above any camera's frame (12 megapixels take about 5 MB), well below what a small board
/// cannot spare.
const DEFAULT_MAX_FRAME_BYTES: usize = 16 << 20;

/// More than any plausible damage in one place of an honest stream.
const DEFAULT_FLOOD_ALLOWANCE_BYTES: u64 = 1 << 20;
