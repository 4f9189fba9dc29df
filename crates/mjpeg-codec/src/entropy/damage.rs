//! What is wrong with a frame, and where.

use std::fmt;

/// What is wrong with a frame, and where the walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Damage {
    /// What is wrong.
    pub flaw: Flaw,
    /// About where it is, in bytes from the frame's SOI. Damage shows somewhat after the damaged
    /// bytes.
    pub offset: usize,
    /// How many MCUs of the damaged scan were complete before it (T.81 A.2: the units of a scan).
    pub mcus: u32,
    /// How many MCUs that scan must have; 0 if the flaw is in a header.
    pub expected_mcus: u32,
}

/// What can be wrong with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Flaw {
    /// A scan or restart interval ends before its last MCU: a half-grey picture.
    Truncated,
    /// A restart marker is missing, has the wrong number, or stands in the wrong place.
    Restart,
    /// Bits that are not a code of their Huffman table.
    BadCode,
    /// A block with more than 64 coefficients.
    LongBlock,
    /// One of the frame's components is in no scan.
    MissingComponent,
    /// A frame header, scan header or Huffman table that contradicts ITU-T T.81 or another one, so
    /// that no decoder can continue.
    Header,
}

impl Flaw {
    /// All flaws, for counters of each.
    pub const ALL: &'static [Self] = &[
        Self::Truncated,
        Self::Restart,
        Self::BadCode,
        Self::LongBlock,
        Self::MissingComponent,
        Self::Header,
    ];

    /// Returns the flaw as a stable lower-case word, for counters and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Restart => "restart",
            Self::BadCode => "bad_code",
            Self::LongBlock => "long_block",
            Self::MissingComponent => "missing_component",
            Self::Header => "header",
        }
    }
}

impl Damage {
    /// Creates the damage of a header that begins at `offset`.
    pub(crate) fn header(offset: usize) -> Self {
        Self {
            flaw: Flaw::Header,
            offset,
            mcus: 0,
            expected_mcus: 0,
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.flaw, self.offset)?;
        match self.expected_mcus {
            0 => Ok(()),
            expected => write!(f, ", after {} of {expected} MCUs", self.mcus),
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
