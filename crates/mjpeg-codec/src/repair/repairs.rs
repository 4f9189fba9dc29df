//! Which repairs to make, or were made.

use super::orientation::Orientation;

/// A set of repairs: those to make, or those that were made. The [module's documentation](super)
/// explains each.
///
/// [`Default`] is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repairs {
    pub(super) huffman_tables: bool,
    pub(super) embedded_markers: bool,
    pub(super) eoi: bool,
    pub(super) orientation: Orientation,
}

impl Repairs {
    /// No repair.
    pub const NONE: Self = Self {
        huffman_tables: false,
        embedded_markers: false,
        eoi: false,
        orientation: Orientation::UPRIGHT,
    };

    /// All repairs but the orientation, which is a matter of taste: recommended for a relay that
    /// serves viewers of any kind.
    pub const RECOMMENDED: Self = Self {
        huffman_tables: true,
        embedded_markers: true,
        eoi: true,
        orientation: Orientation::UPRIGHT,
    };

    /// Sets whether to insert the standard Huffman tables into a baseline frame without any. Adds
    /// 420 bytes.
    pub fn with_huffman_tables(mut self, yes: bool) -> Self {
        self.huffman_tables = yes;
        self
    }

    /// Sets whether to remove APPn and COM segments that hold `FF D8` or `FF D9`, with all their
    /// contents.
    pub fn with_embedded_markers(mut self, yes: bool) -> Self {
        self.embedded_markers = yes;
        self
    }

    /// Sets whether to append an EOI to a frame without one. Adds 2 bytes.
    pub fn with_eoi(mut self, yes: bool) -> Self {
        self.eoi = yes;
        self
    }

    /// Sets how each frame is to be turned and mirrored by its viewers, in addition to what it says
    /// itself. Adds at most 36 bytes.
    pub fn with_orientation(mut self, orientation: Orientation) -> Self {
        self.orientation = orientation;
        self
    }

    /// Returns every repair by name (`huffman_tables`, `embedded_markers`, `eoi`, `orientation`),
    /// and whether the set contains it. For counters and settings.
    pub fn named(self) -> impl Iterator<Item = (&'static str, bool)> {
        let all = [
            ("huffman_tables", self.huffman_tables),
            ("embedded_markers", self.embedded_markers),
            ("eoi", self.eoi),
            ("orientation", self.orientation != Orientation::UPRIGHT),
        ];
        all.into_iter()
    }

    /// Returns whether Huffman tables are to be inserted, or were.
    pub fn huffman_tables(self) -> bool {
        self.huffman_tables
    }

    /// Returns whether segments with embedded markers are to be removed, or were.
    pub fn embedded_markers(self) -> bool {
        self.embedded_markers
    }

    /// Returns whether a missing EOI is to be appended, or was.
    pub fn eoi(self) -> bool {
        self.eoi
    }

    /// Returns how frames are to be turned and mirrored, or were, in addition to what they say
    /// themselves.
    pub fn orientation(self) -> Orientation {
        self.orientation
    }
}
