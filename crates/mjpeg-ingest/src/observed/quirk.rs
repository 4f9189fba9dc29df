//! What cameras do that they should not, and that is tolerated.

/// A mistake of a camera that costs no picture, so that no error tells of it. See
/// [`Observed::quirks`](crate::Observed::quirks).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CameraQuirk {
    /// The answer has no head, as in HTTP/0.9.
    NoHead,
    /// The status line is that of Icecast (`ICY 200 OK`).
    IcyStatus,
    /// The status is one of success, but not `200 OK`.
    OtherStatus,
    /// The head has more than 64 lines.
    LongHead,
    /// `Content-Length` is no number, is too large, or is given twice and differs.
    UselessLength,
    /// `Content-Length` is 0, and a stream follows.
    LengthOfStream,
    /// `Content-Encoding` or `Transfer-Encoding` names something that is no coding, such as `none`.
    NoCoding,
    /// An answer of HTTP/1.0 is chunked, which that version does not know.
    OldChunked,
    /// There is no `Content-Type`.
    NoType,
    /// `Content-Type` is neither `multipart/…` nor `image/jpeg`, or not what follows.
    OtherType,
    /// The multipart type names no boundary.
    NoBoundary,
    /// The boundary is declared with the dashes that belong before it on the wire.
    DashedBoundary,
    /// The lines between the parts are not the boundary that is declared.
    OtherBoundary,
    /// No line separates the parts.
    UnseparatedParts,
    /// Parts have a `Content-Length` that is not the length of their picture.
    OtherPartLength,
    /// Parts with pictures have another type than `image/jpeg`, or none.
    OtherPartType,
    /// `Location` holds characters that no URL has, such as blanks.
    OddLocation,
    /// Informational heads (1xx) that nobody asked for.
    Informational,
    /// It asks for a login without saying how.
    NoChallenge,
    /// It sets cookies and expects them back.
    Cookies,
    /// It closes the connection before the announced end of its answer, although the picture is
    /// whole.
    ClosesEarly,
}

impl CameraQuirk {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::NoHead,
        Self::IcyStatus,
        Self::OtherStatus,
        Self::LongHead,
        Self::UselessLength,
        Self::LengthOfStream,
        Self::NoCoding,
        Self::OldChunked,
        Self::NoType,
        Self::OtherType,
        Self::NoBoundary,
        Self::DashedBoundary,
        Self::OtherBoundary,
        Self::UnseparatedParts,
        Self::OtherPartLength,
        Self::OtherPartType,
        Self::OddLocation,
        Self::Informational,
        Self::NoChallenge,
        Self::Cookies,
        Self::ClosesEarly,
    ];

    /// Returns a stable word for machines: the name in lower case with underscores, such as
    /// `no_boundary`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoHead => "no_head",
            Self::IcyStatus => "icy_status",
            Self::OtherStatus => "other_status",
            Self::LongHead => "long_head",
            Self::UselessLength => "useless_length",
            Self::LengthOfStream => "length_of_stream",
            Self::NoCoding => "no_coding",
            Self::OldChunked => "old_chunked",
            Self::NoType => "no_type",
            Self::OtherType => "other_type",
            Self::NoBoundary => "no_boundary",
            Self::DashedBoundary => "dashed_boundary",
            Self::OtherBoundary => "other_boundary",
            Self::UnseparatedParts => "unseparated_parts",
            Self::OtherPartLength => "other_part_length",
            Self::OtherPartType => "other_part_type",
            Self::OddLocation => "odd_location",
            Self::Informational => "informational",
            Self::NoChallenge => "no_challenge",
            Self::Cookies => "cookies",
            Self::ClosesEarly => "closes_early",
        }
    }
}
