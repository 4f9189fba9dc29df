//! The splitter's limits.

/// The limits of a [`Splitter`](crate::Splitter).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitterConfig {
    max_frame_bytes: usize,
    missing_eoi: MissingEoi,
    flood_allowance_bytes: u64,
    only_first: bool,
}

impl Default for SplitterConfig {
    fn default() -> Self {
        Self {
            max_frame_bytes: DEFAULT_MAX_FRAME_BYTES,
            missing_eoi: MissingEoi::Discard,
            flood_allowance_bytes: DEFAULT_FLOOD_ALLOWANCE_BYTES,
            only_first: false,
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
    /// The default is 1 MiB, enough for 5000 false frame beginnings in a row. While a stream
    /// overdraws it, what is discarded is reported as
    /// [`DiscardReason::Flood`](crate::DiscardReason::Flood). No frame is lost by that.
    ///
    /// Values below [`MIN_FLOOD_ALLOWANCE_BYTES`](Self::MIN_FLOOD_ALLOWANCE_BYTES) are raised to
    /// it, so that 0 means "as strict as possible": with less, the headers of a single part would
    /// be a flood.
    pub fn with_flood_allowance_bytes(mut self, bytes: u64) -> Self {
        self.flood_allowance_bytes = bytes.max(Self::MIN_FLOOD_ALLOWANCE_BYTES);
        self
    }

    /// Sets whether only the first frame of a stream is wanted.
    ///
    /// For an HTTP answer or a file that is one picture: cameras append a preview or further
    /// pictures (CIPA DC-007). Everything behind the first whole frame is then discarded as
    /// [`DiscardReason::ExtraImage`](crate::DiscardReason::ExtraImage), unread, up to the end of
    /// the stream ([`Splitter::finish`](crate::Splitter::finish)). The next stream has a first
    /// frame again. The default is `false`.
    pub fn with_only_first(mut self, yes: bool) -> Self {
        self.only_first = yes;
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

    /// Returns whether only the first frame of a stream is wanted.
    pub fn only_first(&self) -> bool {
        self.only_first
    }

    /// The smallest flood allowance, in bytes: just enough for the headers of one frame.
    pub const MIN_FLOOD_ALLOWANCE_BYTES: u64 = 4 << 10;
}

/// What happens to a frame that has no EOI.
///
/// Its bytes do not tell whether a camera omits EOI or the frame was cut off, so the default drops
/// both. What ended it tells more, and so does [`Frame::verify`](crate::Frame::verify): a frame
/// that was cut off in its scan has fewer MCUs than its header says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MissingEoi {
    /// The frame is dropped and reported as
    /// [`DiscardReason::Truncated`](crate::DiscardReason::Truncated).
    #[default]
    Discard,
    /// The frame comes out without an EOI ([`Frame::has_eoi`](crate::Frame::has_eoi)) if one of its
    /// scans has begun and it is ended by one of these:
    ///
    /// * the next SOI;
    /// * in a multipart stream a line that is the stream's delimiter. The frame comes out as soon
    ///   as the line is complete;
    /// * the end of the stream where it was meant to end
    ///   ([`Splitter::finish`](crate::Splitter::finish)).
    ///
    /// A frame in hand when the stream is [cut off](crate::Splitter::cut_off) is dropped, as with
    /// [`Discard`](Self::Discard).
    ///
    /// A camera that normally sends EOI may break a frame off and begin the next one. Such a frame
    /// comes out as well: [verify](crate::Frame::verify) each frame that has no EOI, or accept
    /// them only of cameras known to omit it.
    Accept,
}

/// Well above any camera's frame (12 megapixels take about 5 MB), well below what a small board
/// cannot spare.
const DEFAULT_MAX_FRAME_BYTES: usize = 16 << 20;

/// More than any plausible damage in one place of an honest stream.
const DEFAULT_FLOOD_ALLOWANCE_BYTES: u64 = 1 << 20;
