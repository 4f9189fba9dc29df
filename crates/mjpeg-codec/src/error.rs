//! Why bytes are not a frame.

use std::fmt;

/// Why a range of bytes did not become a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DiscardReason {
    /// Bytes between frames that belong to none: padding, trailers, noise, or the rest of a frame
    /// already reported as broken. A [`Splitter`](crate::Splitter) reports multipart framing as
    /// garbage, too.
    Garbage,
    /// Delimiters, part headers and the blank lines around them; nothing was lost. Reported only by
    /// a multipart [`Parser`](crate::multipart::Parser).
    Framing,
    /// The contents of a part that does not hold a JPEG image, or the bytes before its image.
    /// Reported only by a multipart [`Parser`](crate::multipart::Parser).
    NotJpeg,
    /// A frame that broke off: another SOI or the end of the stream came before its EOI.
    Truncated,
    /// A frame whose markers or segment lengths contradict ITU-T T.81, or that holds no scan.
    Malformed,
    /// A frame longer than
    /// [`SplitterConfig::max_frame_bytes`](crate::SplitterConfig::max_frame_bytes).
    TooLarge,
    /// Bytes of a stream that consists of almost nothing but markers or lines, and none of them
    /// part of a whole frame. Each of these takes a decision, and no camera sends many thousands of
    /// them in so few bytes. Takes the place of any other reason while the flood lasts; no frame is
    /// lost by it. See [the crate's documentation](crate#floods).
    Flood,
    /// A second image of a part, and what follows it: a preview, or another picture of a
    /// multi-picture file (CIPA DC-007). Reported by a multipart
    /// [`Parser`](crate::multipart::Parser), and by a [`Splitter`](crate::Splitter) of which
    /// [only the first frame](crate::SplitterConfig::with_only_first) is wanted: there it includes
    /// all bytes behind that frame.
    ExtraImage,
    /// A frame of which a packet is missing. Reported only by sources of packets (feature `rtp`).
    LostPackets,
    /// A frame that the driver of a camera has dropped before it could be read, as the numbers of
    /// the frames around it show. It has no bytes. Reported only by sources whose frames have
    /// numbers, such as those of V4L2.
    DriverDropped,
}

impl DiscardReason {
    /// All reasons, for counters of each.
    pub const ALL: &'static [Self] = &[
        Self::Garbage,
        Self::Framing,
        Self::NotJpeg,
        Self::Truncated,
        Self::Malformed,
        Self::TooLarge,
        Self::Flood,
        Self::ExtraImage,
        Self::LostPackets,
        Self::DriverDropped,
    ];

    /// Returns whether the range begins with a broken frame, so that exactly one frame was lost
    /// with it.
    ///
    /// Ranges with another reason are reported in pieces.
    pub fn is_frame(self) -> bool {
        matches!(
            self,
            Self::Truncated
                | Self::Malformed
                | Self::TooLarge
                | Self::LostPackets
                | Self::DriverDropped
        )
    }

    /// Returns the reason as a stable lower-case word, for counters and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Garbage => "garbage",
            Self::Framing => "framing",
            Self::NotJpeg => "not_jpeg",
            Self::Truncated => "truncated",
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::Flood => "flood",
            Self::ExtraImage => "extra_image",
            Self::LostPackets => "lost_packets",
            Self::DriverDropped => "driver_dropped",
        }
    }
}

impl fmt::Display for DiscardReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Bytes passed as one JPEG image are not one. The caller is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at byte {offset}")]
#[non_exhaustive]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// Where it is, in bytes from the start of the input.
    pub offset: u64,
}

/// What is wrong with bytes passed as one JPEG image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input does not begin with a frame, or the frame is not whole.
    #[error("not a whole JPEG frame ({0})")]
    NotAFrame(DiscardReason),
    /// The frame ended before the input did.
    #[error("bytes follow the frame's EOI")]
    TrailingBytes,
}
