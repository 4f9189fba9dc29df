//! Why bytes were not a frame.

use std::fmt;

/// Why a range of bytes did not become a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DiscardReason {
    /// Bytes between frames that belong to none: padding, trailers, noise, or the rest of a frame that was already
    /// reported as broken; from a [`Splitter`](crate::Splitter) also multipart framing.
    Garbage,
    /// Delimiters, part headers and blank lines around them. No loss. Only from a multipart [`Parser`](crate::multipart::Parser).
    Framing,
    /// What a part holds instead of a JPEG image, or before one. Only from a multipart [`Parser`](crate::multipart::Parser).
    NotJpeg,
    /// A frame that broke off: another SOI, or the end of the stream, came before its EOI.
    Truncated,
    /// A frame whose markers or segment lengths contradict ITU-T T.81, or that holds no scan.
    Malformed,
    /// A frame longer than [`SplitterConfig::max_frame_bytes`](crate::SplitterConfig::max_frame_bytes).
    TooLarge,
    /// What was passed over because it was made of almost nothing but markers, or lines: each is a decision, and many thousand of them in so few
    /// bytes come from no camera. See [the crate's docs](crate#floods).
    Flood,
}

impl DiscardReason {
    /// All reasons, for those who keep a counter of each.
    pub const ALL: [Self; 7] = [
        Self::Garbage,
        Self::Framing,
        Self::NotJpeg,
        Self::Truncated,
        Self::Malformed,
        Self::TooLarge,
        Self::Flood,
    ];

    /// Whether the range begins with a broken frame, so that exactly one frame was lost with it.
    ///
    /// The other reasons are reported in pieces.
    pub fn is_frame(self) -> bool {
        matches!(self, Self::Truncated | Self::Malformed | Self::TooLarge)
    }

    /// The reason as one stable lower-case word, for counters and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Garbage => "garbage",
            Self::Framing => "framing",
            Self::NotJpeg => "not_jpeg",
            Self::Truncated => "truncated",
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::Flood => "flood",
        }
    }
}

impl fmt::Display for DiscardReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Bytes that were given as one JPEG are not one; the giver is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at byte {offset}")]
#[non_exhaustive]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// Where, in bytes from the start of the input.
    pub offset: u64,
}

/// What is wrong with bytes that were given as one JPEG.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is no frame at the start of the input, or it is not whole.
    #[error("not a whole JPEG frame ({0})")]
    NotAFrame(DiscardReason),
    /// The frame ended before the input did.
    #[error("bytes follow the frame's EOI")]
    TrailingBytes,
}
