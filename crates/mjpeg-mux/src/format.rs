//! The formats of a clip.

use std::{fmt, str::FromStr};

use crate::error::Error;

/// The format of a clip. As text, it is the extension of the file: `mov`, `avi`, `zip` or `mjpeg`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClipFormat {
    /// A QuickTime movie. Each frame has its own time.
    Mov,
    /// An AVI at a constant rate, with the OpenDML extensions above 1 GiB. Its length is known
    /// before its first frame.
    Avi,
    /// An archive of one JPEG file per frame, with the times in `index.json`.
    Zip,
    /// The frames one after another, without times.
    Mjpeg,
}

impl ClipFormat {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::Mov, Self::Avi, Self::Zip, Self::Mjpeg];

    /// Returns the extension of a file of this format, without a dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Mov => "mov",
            Self::Avi => "avi",
            Self::Zip => "zip",
            Self::Mjpeg => "mjpeg",
        }
    }

    /// Returns the media type, for the header `Content-Type`.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Mov => "video/quicktime",
            Self::Avi => "video/x-msvideo",
            Self::Zip => "application/zip",
            Self::Mjpeg => "video/x-motion-jpeg",
        }
    }
}

impl fmt::Display for ClipFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.extension())
    }
}

impl FromStr for ClipFormat {
    type Err = Error;

    /// Parses an extension in lower case.
    fn from_str(text: &str) -> Result<Self, Error> {
        let named = Self::ALL.into_iter().find(|f| f.extension() == text);
        named.ok_or(Error::UnknownFormat)
    }
}
