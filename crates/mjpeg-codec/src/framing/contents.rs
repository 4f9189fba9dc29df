//! What the body of a part may hold, by its `Content-Type`.

/// What a body may hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Contents {
    /// Sound: never an image, whatever its bytes look like.
    NoImage,
    /// Text or data. Some cameras send images under such a type, so an image at the beginning of
    /// the body is one.
    HardlyImage,
    /// An image, or anything.
    #[default]
    Unknown,
}

impl Contents {
    /// Takes note of a header, of which the last counts.
    pub(super) fn take(&mut self, name: &[u8], value: &[u8]) {
        if name.eq_ignore_ascii_case(b"Content-Type") {
            *self = Self::of(value);
        }
    }

    fn of(media_type: &[u8]) -> Self {
        let essence = media_type.split(|&b| b == b';').next();
        let essence = essence.unwrap_or_default().trim_ascii();
        let top = essence.split(|&b| b == b'/').next().unwrap_or_default();
        let is = |name: &str| top.eq_ignore_ascii_case(name.as_bytes());
        // Means "anything" (RFC 2046 section 4.5.1).
        if essence.eq_ignore_ascii_case(b"application/octet-stream") {
            Self::Unknown
        } else if is("audio") {
            Self::NoImage
        } else if HARDLY_IMAGES.into_iter().any(is) {
            Self::HardlyImage
        } else {
            Self::Unknown
        }
    }
}

const HARDLY_IMAGES: [&str; 5] = ["text", "application", "message", "font", "model"];
