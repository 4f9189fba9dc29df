//! What became of a request that sends pictures.

use std::fmt;

/// What became of a request that sends pictures, from [`Inlet::push`](crate::Inlet::push).
///
/// `Display` says what the sender can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PushOutcome {
    /// The stream has the pictures.
    Taken {
        /// How many there were.
        pictures: u64,
    },
    /// The body holds no picture.
    NotAPicture,
    /// The body is compressed.
    Encoded,
    /// The body ended, or broke, before a picture was whole.
    Broken,
    /// The picture is larger than a frame of the stream may be.
    TooLarge {
        /// The limit, in bytes (`max_frame_bytes`).
        limit: usize,
    },
    /// Somebody else sends pictures to this stream.
    Busy,
    /// Too many requests for this stream wait to be read (`max_waiting_requests`, 16).
    Full,
    /// The stream is not being read: it is paused, or read only while somebody watches.
    NotReading,
    /// The stream was stopped or changed meanwhile, or the body came too slowly.
    Ended,
    /// The pictures have come through this relay before, or through too many.
    Loop,
}

impl PushOutcome {
    /// The status code of HTTP that says so.
    pub fn status(self) -> u16 {
        match self {
            Self::Taken { .. } => 200,
            Self::Broken => 400,
            Self::Busy => 409,
            Self::TooLarge { .. } => 413,
            Self::NotAPicture | Self::Encoded => 415,
            Self::Full | Self::NotReading | Self::Ended => 503,
            Self::Loop => 508,
        }
    }

    /// Whether the stream has pictures of the request.
    pub fn is_taken(self) -> bool {
        matches!(self, Self::Taken { .. })
    }

    /// After how many seconds another attempt makes sense, if time may help.
    pub fn retry_after_seconds(self) -> Option<u32> {
        match self {
            Self::Full | Self::Ended => Some(1),
            Self::NotReading => Some(5),
            _ => None,
        }
    }
}

impl fmt::Display for PushOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Taken { pictures: 1 } => "1 picture taken",
            Self::Taken { pictures } => return write!(f, "{pictures} pictures taken"),
            Self::NotAPicture => {
                "the body is neither a JPEG picture nor a multipart of them: send the bytes of \
                 the picture as they are, with Content-Type: image/jpeg"
            }
            Self::Encoded => {
                "the body is compressed: send the JPEG picture without Content-Encoding"
            }
            Self::Broken => "the body ended, or broke, before a picture was whole: send it again",
            Self::TooLarge { limit } => {
                return write!(
                    f,
                    "the picture is larger than the {limit} bytes that a frame may have \
                     (max_frame_bytes): send it smaller, or with a lower quality"
                );
            }
            Self::Busy => {
                "another sender sends pictures to this stream: stop it, or give each a stream of \
                 its own; this one takes over when the other has been silent"
            }
            Self::Full => {
                "too many requests for this stream wait to be read (max_waiting_requests): wait \
                 for the answer to one before sending the next"
            }
            Self::NotReading => {
                "the stream takes no pictures at present: it is paused, another source is in use, \
                 or it is on demand and nobody watches"
            }
            Self::Ended => {
                "the stream was stopped or changed, or the picture came too slowly: send the next \
                 one"
            }
            Self::Loop => {
                "the pictures have come through this relay already, or through too many relays: \
                 send those of the camera itself"
            }
        })
    }
}
