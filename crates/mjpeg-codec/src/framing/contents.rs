//! What the body of a part may hold, by its `Content-Type`.

use super::headers::PartHeaders;

/// What a body may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contents {
    /// Sound: never an image, whatever its bytes look like.
    NoImage,
    /// Text or data. Some cameras send images under such a type, so an image at the beginning of
    /// the body is one.
    HardlyImage,
    /// An image, or anything.
    Unknown,
}

impl Contents {
    pub(super) fn of(headers: &PartHeaders) -> Self {
        let Some(media_type) = headers.content_type() else {
            return Self::Unknown;
        };
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        let (top, _) = essence.split_once('/').unwrap_or_default();
        let is = |name: &str| top.eq_ignore_ascii_case(name);
        // Means "anything" (RFC 2046 section 4.5.1).
        if essence.eq_ignore_ascii_case("application/octet-stream") {
            return Self::Unknown;
        }
        if is("audio") {
            Self::NoImage
        } else if HARDLY_IMAGES.into_iter().any(is) {
            Self::HardlyImage
        } else {
            Self::Unknown
        }
    }
}

const HARDLY_IMAGES: [&str; 5] = ["text", "application", "message", "font", "model"];
