//! Which frames are not walked.

use std::fmt;

use crate::jpeg::marker;

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

impl fmt::Display for NotChecked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
