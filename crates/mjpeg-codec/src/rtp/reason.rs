//! Why packets did not become a picture.

use std::fmt;

use crate::error::DiscardReason;

/// Why packets did not become a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DropReason {
    /// A packet of the picture is missing, or came too late.
    Lost,
    /// The stream ended within the picture.
    Unfinished,
    /// The picture is longer than the [limit](super::DepacketizerConfig::with_max_frame_bytes).
    TooLarge,
    /// A packet is shorter than the headers that it announces, or carries no data.
    Short,
    /// The packets of the picture contradict one another: in their headers, or as two carry the
    /// same bytes, or bytes behind the last one.
    Contradiction,
    /// The type is none of 0, 1, 64 and 65 (section 4.1).
    UnknownType,
    /// Neither the packets nor the description of the session state the size.
    NoSize,
    /// The quality is 0 or 100 to 127, which are reserved.
    ReservedQuality,
    /// The picture refers to quantization tables that have not come.
    NoTables,
    /// The length of the quantization tables is not that of whole tables.
    BadTables,
    /// The scan holds a marker that does not belong into one. Some cameras send whole JPEG files,
    /// headers included.
    Marker,
    /// A packet of a picture that was decided before.
    Late,
}

impl DropReason {
    /// All reasons, for counters of each.
    pub const ALL: &'static [Self] = &[
        Self::Lost,
        Self::Unfinished,
        Self::TooLarge,
        Self::Short,
        Self::Contradiction,
        Self::UnknownType,
        Self::NoSize,
        Self::ReservedQuality,
        Self::NoTables,
        Self::BadTables,
        Self::Marker,
        Self::Late,
    ];

    /// Returns the reason as a stable lower-case word, for counters and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Unfinished => "unfinished",
            Self::TooLarge => "too_large",
            Self::Short => "short",
            Self::Contradiction => "contradiction",
            Self::UnknownType => "unknown_type",
            Self::NoSize => "no_size",
            Self::ReservedQuality => "reserved_quality",
            Self::NoTables => "no_tables",
            Self::BadTables => "bad_tables",
            Self::Marker => "marker",
            Self::Late => "late",
        }
    }

    /// Returns whether a picture was lost with it, as for all but late packets.
    pub fn is_frame(self) -> bool {
        self != Self::Late
    }

    /// Returns whether it is the camera's way to send pictures, so that the next one will be no
    /// better.
    pub fn is_permanent(self) -> bool {
        matches!(
            self,
            Self::UnknownType | Self::NoSize | Self::ReservedQuality | Self::Marker
        )
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the loss is counted as beside those of other streams.
impl From<DropReason> for DiscardReason {
    fn from(reason: DropReason) -> Self {
        match reason {
            DropReason::Lost => Self::LostPackets,
            DropReason::Unfinished => Self::Truncated,
            DropReason::TooLarge => Self::TooLarge,
            DropReason::Late => Self::Garbage,
            _ => Self::Malformed,
        }
    }
}
