//! What a check can say of a frame.

use std::fmt;

use crate::marker;

/// What [`Frame::verify`](crate::Frame::verify) found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Every component is in a scan, and every scan has all its MCUs.
    Complete {
        /// How many bytes were left over after the last MCU of a scan or of a restart interval, padding (bytes all ones or all
        /// zeros) not counted.
        ///
        /// 0 in most frames. Some webcams leave up to about ten in each restart interval of good pictures; else some dozens
        /// mean that bits were changed or lost, so that a block was taken for less than it was.
        surplus_bytes: usize,
    },
    /// The picture is not whole.
    Damaged(Damage),
    /// The frame is of a kind that is not checked.
    NotChecked(NotChecked),
}

/// What is wrong with a frame, and where the walk over it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Damage {
    /// What is wrong.
    pub flaw: Flaw,
    /// About where, in bytes from the frame's SOI. Damage shows some time after the bytes that were hurt.
    pub offset: usize,
    /// How many MCUs (T.81 A.2: units that a scan is made of) came whole before, in the scan that is damaged.
    pub mcus: u32,
    /// How many that scan must have; 0 where the flaw is in a header.
    pub expected_mcus: u32,
}

/// What can be wrong with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Flaw {
    /// A scan or restart interval ends before its last MCU: the half-grey picture.
    Truncated,
    /// A restart marker is missing, or has the wrong number, or stands where there must be none.
    Restart,
    /// Bits that are no code of their Huffman table.
    BadCode,
    /// A block with more than 64 coefficients.
    LongBlock,
    /// No scan holds one of the frame's components.
    MissingComponent,
    /// A frame header, scan header or Huffman table that contradicts ITU-T T.81 or the others, so that no decoder can read on.
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
    /// More than four components, which no decoder in use takes.
    Components,
    /// Neither the frame header nor a DNL segment tells the height.
    Height,
}

impl Flaw {
    /// All flaws, for those who keep a counter of each.
    pub const ALL: [Self; 6] = [
        Self::Truncated,
        Self::Restart,
        Self::BadCode,
        Self::LongBlock,
        Self::MissingComponent,
        Self::Header,
    ];

    /// The flaw as one stable lower-case word, for counters and logs.
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
    /// All reasons, for those who keep a counter of each.
    pub const ALL: [Self; 6] = [
        Self::Progressive,
        Self::Arithmetic,
        Self::Lossless,
        Self::Hierarchical,
        Self::Components,
        Self::Height,
    ];

    /// The reason as one stable lower-case word, for counters and logs.
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

    /// The reason not to check frames with this frame header marker, if there is one (T.81 table B.1).
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
    /// Of a header that begins there.
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
