//! The outcome of a check.

use std::fmt;

use crate::jpeg::marker;

/// The outcome of [`Frame::verify`](crate::Frame::verify).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Every component is in a scan, and every scan has all its MCUs.
    Complete {
        /// How many bytes followed the last MCU of a scan or restart interval. Does not count
        /// padding (bytes of only ones or only zeros).
        ///
        /// 0 in most frames. Some webcams leave up to about ten in each restart interval of good
        /// pictures. Otherwise, dozens of them mean that bits were changed or lost, so that a block
        /// was read as shorter than it was.
        surplus_bytes: usize,
    },
    /// The picture is not complete.
    Damaged(Damage),
    /// Frames of this kind are not checked.
    NotChecked(NotChecked),
}

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

/// Why a frame was not checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum NotChecked {
    /// Progressive (SOF2).
    Progressive,
    /// Arithmetic coding (SOF9 to SOF11).
    Arithmetic,
    /// Lossless (SOF3).
    Lossless,
    /// A hierarchical sequence (DHP, SOF5 to SOF7, SOF13 to SOF15).
    Hierarchical,
    /// More than four components, which no decoder in use accepts.
    Components,
    /// Neither the frame header nor a DNL segment states the height.
    Height,
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

impl NotChecked {
    /// All reasons, for counters of each.
    pub const ALL: &'static [Self] = &[
        Self::Progressive,
        Self::Arithmetic,
        Self::Lossless,
        Self::Hierarchical,
        Self::Components,
        Self::Height,
    ];

    /// Returns the reason as a stable lower-case word, for counters and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Progressive => "progressive",
            Self::Arithmetic => "arithmetic",
            Self::Lossless => "lossless",
            Self::Hierarchical => "hierarchical",
            Self::Components => "components",
            Self::Height => "height",
        }
    }

    /// Returns the reason not to check frames with this SOF marker, if there is one (T.81 table
    /// B.1).
    pub(super) fn coding(sof: u8) -> Option<Self> {
        match sof {
            marker::SOF0 | marker::SOF1 => None,
            marker::SOF2 => Some(Self::Progressive),
            0xC3 => Some(Self::Lossless),
            0xC9..=0xCB => Some(Self::Arithmetic),
            _ => Some(Self::Hierarchical),
        }
    }
}

impl Damage {
    /// Creates the damage of a header that begins at `offset`.
    pub(super) fn header(offset: usize) -> Self {
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

impl fmt::Display for NotChecked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<Damage> for Verdict {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

impl From<NotChecked> for Verdict {
    fn from(reason: NotChecked) -> Self {
        Self::NotChecked(reason)
    }
}
