//! Which repairs to make, or were made.

/// A set of repairs: those to make, or those that were made. The [module's documentation](super)
/// explains each.
///
/// [`Default`] is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repairs {
    pub(super) huffman_tables: bool,
    pub(super) embedded_markers: bool,
    pub(super) eoi: bool,
}

impl Repairs {
    /// No repair.
    pub const NONE: Self = Self {
        huffman_tables: false,
        embedded_markers: false,
        eoi: false,
    };

    /// All repairs: recommended for a relay that serves viewers of any kind.
    pub const RECOMMENDED: Self = Self {
        huffman_tables: true,
        embedded_markers: true,
        eoi: true,
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

    /// Returns every repair by name (`huffman_tables`, `embedded_markers`, `eoi`), and whether the
    /// set contains it. For counters and settings.
    pub fn named(self) -> impl Iterator<Item = (&'static str, bool)> {
        let all = [
            ("huffman_tables", self.huffman_tables),
            ("embedded_markers", self.embedded_markers),
            ("eoi", self.eoi),
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
}
